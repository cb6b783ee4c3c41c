"""The encoding of a file: its mark, UTF-8, or what a library makes of the bytes beyond ASCII."""

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

from charset_normalizer import CharsetMatch, from_bytes

BLOCK = 1 << 20
SAMPLE = 1 << 16
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What spreadsheets and older programs write where they do not write UTF-8.
LEGACY = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp932", "gb18030", "big5", "euc_kr", "mac_roman"]  # fmt: skip
NOT_UTF8 = re.compile("[\udc80-\udcff]")  # how Python keeps a byte that is not
ASCII = re.compile("[\x00-\x7f]+")
WIDER = {"euc_kr": "cp949"}  # what reads the rest of it, too
# Whole lines: a foreign letter within a word of ASCII speaks against an encoding.
BEYOND_ASCII = re.compile(rb"[^\r\n]*[\x80-\xff][^\r\n]*")
BETWEEN_CELLS = re.compile(r"[\s,;|\"]+")
# Letters that western languages have, and of those that write in Windows-1250 hardly one.
WESTERN = re.compile("[çëßæåøñ]", re.IGNORECASE)
EASTERN = re.compile("[šž]", re.IGNORECASE)


class UnreadableFile(Exception):
    """The file as a whole cannot be used; the sentence says why."""


class UnsureEncoding(UnreadableFile):
    """Several encodings fit. `likely`: the first of them."""

    def __init__(self, sentence: str, likely: str) -> None:
        super().__init__(sentence)
        self.likely = likely


def detect_encoding(path: Path, wanted: str = "") -> tuple[str, int]:
    """Return the encoding of a file and its number of lines. Read it once.

    A file without a mark is UTF-8 if most of what is not ASCII in it is; its other bytes spoil
    their rows only. `wanted`: the encoding that somebody has said it is in. Raise UnreadableFile
    when it is not sure which one it is.
    """
    if wanted:
        try:
            return wanted, _count_lines(path, wanted)
        except UnicodeError:
            raise UnreadableFile(f"The file is not in {wanted}.") from None
    with path.open("rb") as file:
        begin = file.read(4)
        for mark, encoding in MARKS.items():
            if begin.startswith(mark):
                return encoding, _count_lines(path, encoding)
    good = bad = lines = 0
    sample = b""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            lines += block.count(b"\n") or block.count(b"\r")
            if b"\0" in block:
                raise UnreadableFile("The file is not text: it contains zero bytes.")
            if not block.isascii():
                signs = ASCII.sub("", decoder.decode(block))
                wrong = len(NOT_UTF8.findall(signs))
                good, bad = good + len(signs) - wrong, bad + wrong
                if len(sample) < SAMPLE:
                    sample += b"\n".join(BEYOND_ASCII.findall(block))[:SAMPLE]
    return (_guess_legacy(sample) if bad > good else "utf-8"), lines


def decoding_errors(encoding: str) -> str:
    """Return how to read bytes that are no sign: kept apart, so that they spoil their rows only."""
    return "replace" if encoding.startswith(("utf-16", "utf-32", "utf_16", "utf_32")) else "surrogateescape"  # fmt: skip


def _count_lines(path: Path, encoding: str) -> int:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        return sum(block.count("\n") for block in iter(lambda: file.read(BLOCK), ""))


def _guess_legacy(sample: bytes) -> str:
    matches = list(from_bytes(sample, steps=16, chunk_size=1024, cp_isolation=LEGACY))
    if not matches:
        raise UnsureEncoding(
            "The encoding is not known; say which it is with --encoding NAME.", "cp1252"
        )
    least = min(match.chaos for match in matches)
    legible = [match for match in matches if match.chaos <= least + 0.01]
    most = max(match.coherence for match in legible)
    likely = [match for match in legible if match.coherence >= most - 0.05]
    western = sample.decode("cp1252", "replace")
    if likely[0].encoding in ("cp1250", "cp1252") and len({str(one) for one in likely}) == 1:
        return "cp1252" if str(likely[0]) == western else likely[0].encoding
    if {match.encoding for match in likely} == {"cp1250", "cp1252"} and (
        WESTERN.search(western) and not EASTERN.search(western)
    ):
        return "cp1252"
    if len(likely) > 1:
        raise UnsureEncoding(_ask_for_encoding(likely), likely[0].encoding)
    return WIDER.get(likely[0].encoding, likely[0].encoding)


def _ask_for_encoding(likely: Sequence[CharsetMatch]) -> str:
    """Return a question with a word of the file in each encoding."""
    words = [BETWEEN_CELLS.split(str(match)) for match in likely]
    apart = next(
        (row for row in zip(*words, strict=False) if len(set(row)) > 1), ("",) * len(words)
    )
    shown = [
        f"--encoding {match.encoding} reads {word[:40]!r}"
        for match, word in zip(likely, apart, strict=False)
    ]
    return f"It is not sure which encoding the file is in; say it: {', '.join(shown)}."

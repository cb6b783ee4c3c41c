"""Cells as people and programs write them: addresses, times, numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from leadscoring.intake.csv_import.encoding import UnreadableFile
from leadscoring.intake.validation import LOST_PLUS

# --- addresses -----------------------------------------------------------------------------------
IN_BRACKETS = re.compile(r"<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+?)\s*>", re.IGNORECASE)
BETWEEN = re.compile(r"[\s;,|]+")
AROUND = "'\"`‘’“”()<>"


def addresses_in(cell: str) -> list[str]:
    """Return the addresses of a cell such as `Ada <ada@…>`, `mailto:ada@…` or `ada@…; ben@…`.

    A cell without one is returned as it is, to be refused.
    """
    bare = [part for part in BETWEEN.split(IN_BRACKETS.sub(" ", cell)) if "@" in part]
    found = [*IN_BRACKETS.findall(cell), *bare]
    cleaned = [_bare_address(address) for address in found]
    return list(dict.fromkeys(cleaned)) or [cell]


def _bare_address(text: str) -> str:
    text = text.strip(AROUND)
    if text.lower().startswith("mailto:"):
        text = text[len("mailto:") :].partition("?")[0]
    return text.strip(AROUND)


# --- times ---------------------------------------------------------------------------------------
DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
EPOCH_DIGITS = {10: 1, 13: 1_000, 16: 1_000_000}
EPOCH = re.compile(r"(\d{10}|\d{13}|\d{16})(?:\.\d+)?", re.ASCII)
SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?", re.ASCII)
SERIAL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets count days of no zone
UTC_NAME = re.compile(r"\s*(?:UTC|GMT)$", re.IGNORECASE)
WRITTEN = re.compile(
    r"(?P<a>\d{1,4})(?P<by>[./-])(?P<b>\d{1,2})(?P=by)(?P<c>\d{1,4})"
    r"(?:[\s,T]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
    r"(?:\s*(?P<half>[AP])\.?M\.?)?)?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class TimeReader:
    """How a file writes times. `zone`: of those without an offset; `form`: as --time-format says it."""

    zone: tzinfo | None = None
    form: str = ""

    def read(self, text: str) -> datetime:
        """Return a time with its offset; raise ValueError, which names the option that is missing."""
        moment = self._parse(text.strip()[:60])
        if moment.tzinfo:
            return moment
        if self.zone is None:
            raise ValueError(
                f"{text[:40]!r} has no offset from UTC; say where the clock was with --time-zone, such as Europe/Berlin"
            )
        return moment.replace(tzinfo=self.zone)

    def _parse(self, text: str) -> datetime:
        unknown = f"{text[:40]!r} is not a time that is known here; say how it is written with --time-format, such as %d.%m.%Y %H:%M"
        try:
            if "%" in self.form:
                return datetime.strptime(text, self.form)  # noqa: DTZ007 - read() adds the zone
            if found := EPOCH.fullmatch(text):
                return datetime.fromtimestamp(float(text) / EPOCH_DIGITS[len(found[1])], UTC)
            if SERIAL.fullmatch(text):
                return _from_serial(text)
            if UTC_NAME.search(text):
                return self._parse(UTC_NAME.sub("", text)).replace(tzinfo=UTC)
            if found := WRITTEN.fullmatch(text):
                return self._from_parts(found)
            return datetime.fromisoformat(LOST_PLUS.sub(r"\1+\2", text))
        except AmbiguousTime:
            raise
        except (ValueError, OverflowError):
            raise ValueError(unknown) from None

    def _from_parts(self, found: re.Match[str]) -> datetime:
        a, b, c = int(found["a"]), int(found["b"]), int(found["c"])
        if len(found["a"]) == 4:
            year, month, day = a, b, c
        elif found["by"] == "." and self.form != MONTH_FIRST:
            year, month, day = c, b, a
        elif self.form:
            year, month, day = (c, b, a) if self.form == DAY_FIRST else (c, a, b)
        else:
            raise AmbiguousTime(
                f"{found[0]!r} may begin with the day or the month; say --time-format {DAY_FIRST} or --time-format {MONTH_FIRST}"
            )
        if len(found["c"]) == 2 and len(found["a"]) < 4:
            year += 2000
        hour = int(found["hour"] or 0)
        if found["half"]:
            hour = hour % 12 + 12 * (found["half"].lower() == "p")
        return datetime(year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0))  # noqa: DTZ001 - read() adds the zone  # fmt: skip


class AmbiguousTime(ValueError):
    """A date whose day and month could be told apart by no other of the file."""


def _from_serial(text: str) -> datetime:
    """Return the moment of a spreadsheet's count of days."""
    moment = SERIAL_ZERO + timedelta(days=float(text.replace(",", ".")))
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)


def choose_time_reader(
    title: str, cells: Sequence[str], zone: tzinfo | None, form: str
) -> TimeReader:
    """Find out how a column writes times; raise UnreadableFile when it must be asked for.

    A day beyond 12 anywhere says where the day stands. `cells`: a sample. Single cells that cannot
    be read spoil their rows only; more than half of them are a matter of the file.
    """
    reader = TimeReader(zone, form or day_or_month_first(title, cells))
    problems = [problem for cell in cells if (problem := _problem(reader, cell))]
    if len(problems) * 2 > len(cells):
        raise UnreadableFile(f"Column {title!r}: {problems[0]}.")
    return reader


def _problem(reader: TimeReader, cell: str) -> str:
    try:
        reader.read(cell)
    except ValueError as wrong:
        return str(wrong)
    return ""


def day_or_month_first(title: str, cells: Sequence[str]) -> str:
    found = [
        (int(one["a"]), int(one["b"]), cell)
        for cell in cells
        if (one := WRITTEN.match(cell.strip())) and len(one["a"]) < 4 and one["by"] != "."
    ]
    day = next((cell for a, _, cell in found if a > 12), "")
    month = next((cell for _, b, cell in found if b > 12), "")
    if day and month:
        raise UnreadableFile(
            f"Column {title!r} has dates that begin with the day ({day[:20]!r}) and dates that begin with the month ({month[:20]!r}); say which is right with --time-format {DAY_FIRST} or {MONTH_FIRST}."
        )
    return DAY_FIRST if day else MONTH_FIRST if month else ""


# --- numbers -------------------------------------------------------------------------------------
NUMBER = re.compile(r"\d[\d.,]*", re.ASCII)
LONE_GROUP = re.compile(r"[1-9]\d{0,2}([.,])\d{3}", re.ASCII)


def decimal_sign(cells: Sequence[str]) -> str:
    """Return the sign before the decimals in a column of numbers, "." or ","; empty: nothing shows it."""
    for written in (number for cell in cells for number in NUMBER.findall(cell)):
        signs = re.sub(r"\d", "", written.rstrip(".,"))
        if len(set(signs)) == 2:
            return signs[-1]
        if len(signs) > 1:
            return "," if signs[0] == "." else "."
        if signs and not LONE_GROUP.fullmatch(written.rstrip(".,")):
            return signs
    return ""


def plain_thousands(cell: str, sign: str) -> str:
    """Rewrite a cell that rules would misread: `1.234` is below two to them, and `1,234` above a thousand.

    `sign`: the column's decimal sign. Where nothing shows it, both are thousands.
    """

    def plain(found: re.Match[str]) -> str:
        lone = LONE_GROUP.fullmatch(found[0])
        if lone and lone[1] == "." and sign != ".":
            return found[0].replace(".", "")
        return found[0].replace(",", ".") if lone and lone[1] == "," == sign else found[0]

    return NUMBER.sub(plain, cell)

"""Sentences of the import commands in the words of the page, which has fields where a command has options."""

import re

IN_PAGES_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"; say --time-format day-first or --time-format month-first", ": choose the order of day and month"),
        (r"; say which is right with --time-format day-first or month-first", ": choose the order of day and month"),
        (r"; say how it is written with --time-format, such as \S+ \S+", ""),
        (r"; say where the clock was with --time-zone, such as \S+", ": choose the time zone"),
        (r" --map \S+ takes another\.", " Choose another if that is wrong."),
        (r"; choose one with --map \S+", ": choose one"),
        (r"; say which (?:it is )?with --\S+ \S+", ": choose it"),
        (r"; say it: --encoding.*", ": choose it."),
        (r"\bgive them an id_source of their own", "say whose ids they are"),
    )
)  # fmt: skip


def page_sentence(text: str) -> str:
    for pattern, words in IN_PAGES_WORDS:
        text = pattern.sub(words, text)
    return text

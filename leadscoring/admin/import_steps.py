"""What the page of an import shows at each step, and what its form sends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import QueryDict
from django.utils.timezone import get_current_timezone_name, now

from leadscoring.common.text import bounded_line
from leadscoring.common.time_zones import known_time_zones
from leadscoring.intake.csv_import.values import DAY_FIRST, MONTH_FIRST
from leadscoring.intake.uploads import work
from leadscoring.intake.uploads.choices import NOTHING, PROPERTY, WISHES, kind_of, problem_of
from leadscoring.intake.uploads.reading import (
    ColumnSample,
    FileLook,
    choices_of_last,
    look_at,
    offered_fields,
)
from leadscoring.intake.uploads.running import REJECTED, SUPPRESSED
from leadscoring.models import Import

State = Import.State
ENCODINGS = {
    "utf-8": "Unicode (UTF-8)",
    "utf-16": "Unicode (UTF-16)",
    "cp1252": "Western European (Windows)",
    "cp1250": "Central European (Windows)",
    "cp1251": "Cyrillic (Windows)",
    "cp1253": "Greek (Windows)",
    "cp1254": "Turkish (Windows)",
    "mac_roman": "Western European (Mac)",
    "cp932": "Japanese (Shift-JIS)",
    "gb18030": "Chinese, simplified",
    "big5": "Chinese, traditional",
    "cp949": "Korean",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
DECIMALS = {".": "point, as in 12.5", ",": "comma, as in 12,5"}
ORDERS = {DAY_FIRST: "day first, as in 31/12/2026", MONTH_FIRST: "month first, as in 12/31/2026"}
# How a file is cut into cells: another choice there makes it another table.
CUTTING = ("sheet", "encoding", "delimiter")
KEPT_FOR_THE_NEXT = ("columns", "decimal", "time_form", "zone", "id_source")
# Of one and of several.
WORDS: Mapping[str, tuple[str, str]] = {
    "created": ("new person", "new people"),
    "updated": ("person brought up to date", "people brought up to date"),
    "unchanged": ("person who is known like that", "people who are known like that"),
    "accepted": ("new activity", "new activities"),
    "duplicates": ("activity that is known", "activities that are known"),
    "suppressed": ("address new under Do not mail", "addresses new under Do not mail"),
    "known": ("address that is there already", "addresses that are there already"),
    "unaffected": ("row that asks for nothing", "rows that ask for nothing"),
    SUPPRESSED: ("address that goes under Do not mail", "addresses that go under Do not mail"),
    REJECTED: ("row that is not taken", "rows that are not taken"),
}
UNDONE: Mapping[str, tuple[str, str]] = {
    "people": ("person taken away", "people taken away"),
    "staying": ("person who stays: something happened since", "people who stay: something happened since"),
    "changed": ("person put back as before", "people put back as before"),
    "kept": ("value that somebody has changed since", "values that somebody has changed since"),
    "activities": ("activity taken away", "activities taken away"),
    "addresses": ("address taken out of Do not mail", "addresses taken out of Do not mail"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    number: int
    words: str


def figures(counts: Mapping[str, int], words: Mapping[str, tuple[str, str]]) -> list[Figure]:
    """Return numbers with their words, without zeros."""
    found = [(counts.get(word, 0), both) for word, both in words.items()]
    return [Figure(number, both[number != 1]) for number, both in found if number]


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    words: str
    chosen: bool


def begin_with_guess(row: Import) -> None:
    """Choose for a new file what was chosen for the last one with its columns, or what its titles say."""
    look = look_at(row, now())
    before = choices_of_last(row, look) or {}
    guessed = {**look.choices, "zone": get_current_timezone_name()}
    remembered = {name: before[name] for name in KEPT_FOR_THE_NEXT if name in before}
    row.choices, row.titles = {**guessed, **remembered, "remembered": bool(before)}, look.titles
    row.save(update_fields=["choices", "titles"])


def columns_step(row: Import) -> dict[str, Any]:
    look = look_at(row, now())
    chosen, kind = row.choices, kind_of(row)
    fields = offered_fields(kind)
    return {
        "columns": [(one, _targets(one, fields, chosen["columns"], kind.listed)) for one in look.columns],
        "settings": _settings(look, chosen, has_times="occurred_at" in kind.fields),
        "id_source": chosen.get("id_source", ""),
        "has_ids": "external_id" in kind.fields,
        "doubt": look.doubt if not chosen.get("encoding") else "",
        "remembered": chosen.get("remembered"),
    }  # fmt: skip


def _targets(
    column: ColumnSample, fields: Iterable[tuple[str, str]], chosen: Mapping[str, str], listed: bool
) -> list[Option]:
    offered = [*fields, *WISHES.items(), (NOTHING, "Leave out")]
    if not listed:
        own = _property_of(column)
        offered.insert(-1, (own, f"A property: {own.removeprefix(PROPERTY)}"))
    target = chosen.get(str(column.place), NOTHING)
    return [Option(value, words, value == target) for value, words in offered]


def _property_of(column: ColumnSample) -> str:
    """Return the property that a column can be; its target when that is one."""
    return column.target if column.target.startswith(PROPERTY) else column.property


def _settings(
    look: FileLook, chosen: Mapping[str, Any], *, has_times: bool
) -> list[tuple[str, str, list[Option]]]:
    """Return the fields above the columns: name, label, options."""
    zone = chosen.get("zone", "UTC")
    if look.sheet:
        sheets = [Option(name, name, name == look.sheet) for name in look.sheets]
        cutting = [("sheet", "Sheet", sheets)]
    else:
        cutting = [
            ("encoding", "Letters", _found_or(ENCODINGS, chosen.get("encoding", ""), look.encoding)),
            ("delimiter", "Between cells", _found_or(DELIMITERS, chosen.get("delimiter", ""), look.delimiter)),
        ]  # fmt: skip
    zones = [Option(name, name, name == zone) for name in sorted(known_time_zones())]
    return [
        *cutting,
        ("decimal", "Decimals", _found_or(DECIMALS, chosen.get("decimal", ""), look.decimal)),
        *([("time_form", "Day and month", _found_or(ORDERS, chosen.get("time_form", ""), look.time_form)),
           ("zone", "Time zone of the file", zones)] if has_times else []),
    ]  # fmt: skip


def _found_or(offered: Mapping[str, str], chosen: str, found: str) -> list[Option]:
    """Return the options, the first of which leaves it to what was found in the file."""
    shown = offered.get(found.removesuffix("-sig"), found)
    first = Option("", f"As found: {shown}" if shown else "As each cell shows", not chosen)
    return [first, *(Option(value, words, value == chosen) for value, words in offered.items())]


def take_columns(row: Import, sent: QueryDict) -> str:
    """Keep what the form of the columns sends; return what is wrong with it, "" when it can be checked."""
    look, kind = look_at(row, now()), kind_of(row)
    reading = _sent_reading(sent, look, row.choices)
    if any(reading[name] != row.choices.get(name, "") for name in CUTTING):
        row.choices = {**row.choices, **reading}
        fresh = look_at(row, now())
        row.choices, row.titles = row.choices | fresh.choices, fresh.titles
        row.save(update_fields=["choices", "titles"])
        return "The file was read again: look at the columns once more."
    columns = {}
    for column in look.columns:
        offered = {one.value for one in _targets(column, offered_fields(kind), {}, kind.listed)}
        target = sent.get(f"column-{column.place}", NOTHING)
        columns[str(column.place)] = target if target in offered else NOTHING
    row.choices = {**row.choices, **reading, "columns": columns, "remembered": False}
    row.save(update_fields=["choices"])
    return problem_of(kind, columns)


def _sent_reading(sent: QueryDict, look: FileLook, before: Mapping[str, Any]) -> dict[str, str]:
    """Return how the file is to be read; what is not offered counts for nothing."""
    offered: dict[str, Mapping[str, str]] = {
        "encoding": ENCODINGS, "delimiter": DELIMITERS, "decimal": DECIMALS, "time_form": ORDERS,
    }  # fmt: skip
    read = {
        name: chosen if (chosen := sent.get(name, "")) in values else ""
        for name, values in offered.items()
    }
    sheet, zone = sent.get("sheet", ""), sent.get("zone", "")
    # The sheet that is read anyway is no choice.
    read["sheet"] = (
        before.get("sheet", "") if sheet == look.sheet or sheet not in look.sheets else sheet
    )
    read["zone"] = zone if zone in known_time_zones() else before.get("zone", "UTC")
    read["id_source"] = bounded_line(sent.get("id_source", ""), 100)
    return read


def move_on(row: Import, states: tuple[str, ...], to: str) -> bool:
    """Let workers see what is wanted of an import; return whether it was still to be had."""
    with transaction.atomic():
        if to == State.RUNNING:
            Import.objects.filter(pk=row.pk, state__in=states).update(started_at=now())
        moved = Import.objects.move(row.pk, states, to, now())
        transaction.on_commit(work.wake)
    return moved

"""Which column of a file is which field, and a row of it as an item for intake."""

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from leadscoring.intake.csv_import.encoding import UnreadableFile
from leadscoring.intake.csv_import.titles import PROPERTIES, normalize_title
from leadscoring.intake.validation import MOST_KEYS

NAMING = {"email", "external_id", "type", "occurred_at", "event_id"}
# Titles that are our own word for an id: whoever writes them means it.
OWN_IDS = {"external_id", "external id"}
NUMBERED = re.compile(r"#(\d{1,6})", re.ASCII)
OURS = ["line", "reason"]  # the columns that the error file adds at the end
# Full-width signs count, too: some spreadsheets read them as the others.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
APOSTROPHE = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def escape_formula(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def unescape_formula(cell: str) -> str:
    """Undo `escape_formula`."""
    return cell[1:] if APOSTROPHE.match(cell) else cell


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody chose for a file; empty: found out from it.

    `columns`: name -> column. `asked`: properties that rules ask for, which go before others.
    `numbers`: those that rules compare with a number. `decimal`: the sign before decimals. `ignored`:
    places of columns that count for nothing, wishes for no mail included.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    only_mapped: bool = False
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    decimal: str = ""
    ignored: frozenset[int] = frozenset()
    zone: tzinfo | None = None
    time_form: str = ""
    asked: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of cells: by field, and by property for all others."""

    fields: Mapping[str, int]
    properties: Mapping[str, int]
    titles: Sequence[str]  # as the file has them, without ours
    mended: bool  # it is an error file of ours that comes back
    left_out: Sequence[str] = ()
    notes: Sequence[str] = ()

    def item(self, cells: Sequence[str]) -> dict[str, Any]:
        """Return a row as intake takes it. An empty cell says nothing, so it clears nothing."""
        item: dict[str, Any] = {
            name: cell for name, place in self.fields.items() if (cell := cells[place].strip())
        }
        properties = {
            name: cell for name, place in self.properties.items() if (cell := cells[place].strip())
        }
        return {**item, "properties": properties} if properties else item


def match_columns(
    header: Sequence[str],
    known: Mapping[str, Sequence[str]],
    choices: Choices,
    sample: Sequence[Sequence[str]] = (),
    *,
    guess: bool = False,
) -> Columns:
    """Find the columns of a file: those asked for, then those recognized by their titles.

    Raise UnreadableFile when no column identifies a contact, or an id alone would and nobody said so.
    `sample`: rows, of which the filled columns go first when there are too many. `guess`: somebody looks at
    the answer, so what is not sure is no reason to refuse.
    """
    mended = [name.lower() for name in header[-2:]] == OURS
    titles = [unescape_formula(name) for name in header[:-2]] if mended else header
    places = {place: name for place, name in enumerate(titles) if name}
    chosen = _requested_columns(places, choices.columns)
    notes: list[str] = []
    for name, titles_of_field in known.items() if not choices.only_mapped else ():
        if name not in chosen:
            place = _guess_column(places, name, titles_of_field, chosen.values(), notes, guess)
            if place is not None:
                chosen[name] = place
    fields = {
        name: place for name, place in chosen.items() if name in known and name not in PROPERTIES
    }
    if not guess:
        _check_identified(titles, known, fields, choices, sample)
    others = {place: name for place, name in places.items() if place not in chosen.values()}
    named = {name: place for name, place in chosen.items() if name not in fields}
    free = {} if choices.only_mapped else property_names(others)
    kept = _most_wanted(free, MOST_KEYS - len(named), choices.asked, sample)
    left_out = [places[place] for name, place in free.items() if name not in kept]
    return Columns(fields, named | kept, titles, mended, left_out, notes)


def _most_wanted(
    free: Mapping[str, int], most: int, asked: Container[str], sample: Sequence[Sequence[str]]
) -> dict[str, int]:
    """Return as many columns as fit, in the file's order: first those of rules, then those that are filled."""
    if len(free) <= most:
        return dict(free)
    filled = {
        place for row in sample for place, cell in enumerate(row) if cell and not cell.isspace()
    }
    first = sorted(free, key=lambda name: (name not in asked, free[name] not in filled))
    kept = set(first[: max(most, 0)])
    return {name: place for name, place in free.items() if name in kept}


def _requested_columns(places: Mapping[int, str], wanted: Mapping[str, str]) -> dict[str, int]:
    return {name: _requested_column(places, column, name) for name, column in wanted.items()}


def _requested_column(places: Mapping[int, str], column: str, name: str) -> int:
    """Return the place of a column that is named by its title, or by its number as #3."""
    if (number := NUMBERED.fullmatch(column)) and int(number[1]) - 1 in places:
        return int(number[1]) - 1
    exact = [place for place, title in places.items() if title == column]
    found = exact or [
        place
        for place, title in places.items()
        if normalize_title(title) == normalize_title(column)
    ]
    if not found:
        there = ", ".join(places.values())
        raise UnreadableFile(f"Column {column!r} is not there; there are: {there}.")
    if len(found) > 1:
        raise UnreadableFile(_told_twice(column, found, name))
    return found[0]


def _told_twice(column: str, found: Sequence[int], name: str) -> str:
    numbers = _numbers(found)
    return f"Column {column!r} is there {len(found)} times, as {numbers}; choose one with --map {name}=#{found[0] + 1}."


def _numbers(places: Sequence[int]) -> str:
    return " and ".join(f"#{place + 1}" for place in places)


def _guess_column(
    places: Mapping[int, str],
    field: str,
    names: Sequence[str],
    taken: Iterable[int],
    notes: list[str],
    guess: bool,
) -> int | None:
    """Return the column with the surest of the names.

    When two have the same, one that names people or events is asked about, of any other the first is
    taken and that is noted.
    """
    taken = set(taken)
    for name in names:
        found = [
            place
            for place, title in places.items()
            if place not in taken and normalize_title(unicodedata.normalize("NFKC", title)) == name
        ]
        if len(found) > 1 and field in NAMING and not guess:
            raise UnreadableFile(_told_twice(places[found[0]], found, field))
        if len(found) > 1:
            notes.append(
                f"Column {places[found[0]]!r} is there as {_numbers(found)}: {field} is the first. --map {field}=#{found[1] + 1} takes another."
            )
        if found:
            return found[0]
    return None


def _check_identified(
    header: Sequence[str],
    known: Mapping[str, Sequence[str]],
    fields: Mapping[str, int],
    choices: Choices,
    sample: Sequence[Sequence[str]],
) -> None:
    """Raise UnreadableFile when nothing names a contact, or only an id that nobody called one."""
    needed = ["email or external_id" if "external_id" in known else "email"]
    needed += ["type"] if "type" in known else []
    hint = _columns_of_addresses(header, sample)
    if not {"email", "external_id"} & set(fields) or ("type" in known and "type" not in fields):
        raise UnreadableFile(_missing_columns(header, ", and ".join(needed)) + hint)
    id_alone = "email" not in fields and "external_id" not in choices.columns
    # An activity of an unknown id is refused by itself; a contact without an address would be made.
    if id_alone and "type" not in known and header[fields["external_id"]].lower() not in OWN_IDS:
        column = header[fields["external_id"]]
        raise UnreadableFile(
            f"No column is known as the e-mail address; say which with --map email=COLUMN, or that there is none with --map external_id={column!r}.{hint}"
        )


def _columns_of_addresses(header: Sequence[str], sample: Sequence[Sequence[str]]) -> str:
    """Return a sentence with the columns that hold addresses, if any."""
    found = [
        title
        for place, title in enumerate(header)
        if sum("@" in row[place] for row in sample) * 2 > len(sample)
    ]
    return f" Addresses are in: {', '.join(found[:5])}." if found else ""


def _missing_columns(header: Sequence[str], wanted: str) -> str:
    if any("@" in name for name in header):
        return "The file has no header: its first line is already a row."
    shown = ", ".join(name[:40] for name in header[:20])
    return f"No column is known as {wanted}; say which with --map NAME=COLUMN. There are: {shown}."


def property_names(others: Mapping[int, str]) -> dict[str, int]:
    """Return names of properties, made from the titles to fit rules; the second of a name is name_2."""
    properties: dict[str, int] = {}
    for place, title in others.items():
        name = normalize_title(title).replace(" ", "_")[:90] or f"column_{place + 1}"
        number = 2
        unique = name
        while unique in properties:
            unique, number = f"{name}_{number}", number + 1
        properties[unique] = place
    return properties

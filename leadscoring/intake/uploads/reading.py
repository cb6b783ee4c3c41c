"""What an uploaded file looks like: its columns with some of their cells, and what they are taken for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from leadscoring.common.digest import json_digest
from leadscoring.intake.csv_import.columns import Choices, match_columns, property_names
from leadscoring.intake.csv_import.encoding import UnreadableFile, UnsureEncoding
from leadscoring.intake.csv_import.importer import ImportKind
from leadscoring.intake.csv_import.reader import CsvTable, open_table
from leadscoring.intake.csv_import.row_reader import properties_of_rules
from leadscoring.intake.csv_import.titles import PROPERTIES
from leadscoring.intake.csv_import.values import day_or_month_first, decimal_sign
from leadscoring.intake.csv_import.wishes import find_wish_columns
from leadscoring.intake.uploads.choices import (
    FIELDS,
    NOTHING,
    PROPERTY,
    WISH,
    WISHES,
    kind_of,
    reading_of,
)
from leadscoring.intake.uploads.store import file_of
from leadscoring.models import Import, ModelVersion

SAMPLE, SHOWN, LONGEST = 1000, 3, 60
MOST_COLUMNS = 300
UNSURE = "It is not sure how letters beyond a to z are written in this file: look at the names, and choose another encoding if they are wrong."


@dataclass(frozen=True, slots=True)
class ColumnSample:
    """A column: its place and title, some of its cells, what it is taken for, and the property it can be."""

    place: int
    title: str
    cells: Sequence[str]
    target: str
    property: str


@dataclass(frozen=True, slots=True)
class FileLook:
    """What a file looks like. `decimal`, `time_form`: as its cells show them, "" when nothing does."""

    columns: Sequence[ColumnSample]
    header: Sequence[str]
    sheets: Sequence[str]
    sheet: str
    encoding: str
    delimiter: str
    decimal: str
    time_form: str
    doubt: str

    @property
    def titles(self) -> str:
        """Return a hash by which a file with the same columns is known again."""
        return json_digest([column.title for column in self.columns])

    @property
    def choices(self) -> dict[str, Any]:
        """Return what is taken for granted, and what the file of rejected rows needs of this one."""
        return {
            "columns": self.targets,
            "header": [*self.header],
            "written_with": self.delimiter,
        }

    @property
    def targets(self) -> dict[str, str]:
        return {str(column.place): column.target for column in self.columns}


def look_at(row: Import, at: datetime) -> FileLook:
    """Read the beginning of a file, as far as it was chosen how. Raise UnreadableFile."""
    kind = kind_of(row)
    with file_of(row) as path:
        reading, doubt = reading_of(row.choices), ""
        try:
            table = _open(path, reading)
        except UnsureEncoding as unsure:
            doubt, reading = UNSURE, replace(reading, encoding=unsure.likely)
            table = _open(path, reading)
        try:
            sample = [one.cells for one in islice(table.rows, SAMPLE) if not one.wrong]
        finally:
            table.close()
    columns, header = _columns(table, kind, sample, at)
    times = [column.place for column in columns if column.target == "occurred_at"]
    return FileLook(
        columns,
        header,
        table.sheets,
        table.sheet,
        table.encoding,
        table.delimiter,
        _shown_decimal(table, columns, sample),
        _shown_order(_cells(sample, times[0])) if times else "",
        doubt,
    )


def _open(path: Path, reading: Choices) -> CsvTable:
    return open_table(path, reading.encoding, delimiter=reading.delimiter, sheet=reading.sheet)


def _columns(
    table: CsvTable, kind: ImportKind, sample: Sequence[Sequence[str]], at: datetime
) -> tuple[list[ColumnSample], Sequence[str]]:
    """Return the columns that have a title, and the titles of all."""
    if len(table.header) > MOST_COLUMNS:
        raise UnreadableFile(
            f"The file has {len(table.header):,} columns; {MOST_COLUMNS} can be chosen from. Delete those that nobody needs."
        )
    model = ModelVersion.objects.in_force(at).model
    asked, _ = properties_of_rules(model, of_activities=kind.have_events)
    found = match_columns(table.header, kind.fields, Choices(asked=asked), sample, guess=True)
    named = {place: name for name, place in found.fields.items()}
    properties = {place: _property_target(name, kind) for name, place in found.properties.items()}
    wishes = {one.place: WISH for one in find_wish_columns(found.titles, found.fields)}
    targets: Mapping[int, str] = {**properties, **wishes, **named}
    names = {place: name for name, place in property_names(dict(enumerate(found.titles))).items()}
    columns = [
        ColumnSample(
            place,
            title,
            _shown(_cells(sample, place)),
            targets.get(place, NOTHING),
            _as_property(names[place]),
        )
        for place, title in enumerate(found.titles)
        if title
    ]
    return columns, found.titles


def _property_target(name: str, kind: ImportKind) -> str:
    if kind.listed:
        return NOTHING
    if name in PROPERTIES and name in kind.fields:
        return name
    return _as_property(name)


def _as_property(name: str) -> str:
    """Return the target; a name of ours is no property's."""
    return f"{PROPERTY}{name}{'_2' if name in FIELDS or name in WISHES else ''}"


def _cells(sample: Sequence[Sequence[str]], place: int) -> list[str]:
    return [cell for row in sample if (cell := row[place].strip())]


def _shown(cells: Sequence[str]) -> list[str]:
    """Return some different cells, cut."""
    return list(dict.fromkeys(cell[:LONGEST] for cell in cells[:50]))[:SHOWN]


def _shown_decimal(
    table: CsvTable, columns: Sequence[ColumnSample], sample: Sequence[Sequence[str]]
) -> str:
    if table.sheet:
        return "."
    numbers = [column.place for column in columns if column.target == "company_size"]
    return decimal_sign(_cells(sample, numbers[0])) if numbers else ""


def _shown_order(cells: Sequence[str]) -> str:
    try:
        return day_or_month_first("", cells)
    except UnreadableFile:
        return ""


def choices_of_last(row: Import, look: FileLook) -> dict[str, Any] | None:
    """Return what was chosen for the last file that had the same columns and was imported; None: there is none."""
    alike = Import.objects.filter(kind=row.kind, titles=look.titles, started_at__isnull=False)
    last = (
        alike.exclude(pk=row.pk).order_by("-started_at").values_list("choices", flat=True).first()
    )
    return dict(last) if last else None


def offered_fields(kind: ImportKind) -> list[tuple[str, str]]:
    return [(name, label) for name, label in FIELDS.items() if name in kind.fields]

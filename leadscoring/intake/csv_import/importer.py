"""A file goes in by batches through intake; rows that are refused are put aside with their reason."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from leadscoring.common.batching import batched
from leadscoring.intake import (
    TakenActivities,
    TakenContacts,
    take_activities,
    take_contacts,
    validation,
)
from leadscoring.intake.activities import OWN_SOURCES
from leadscoring.intake.csv_import.columns import (
    ACTIVITY,
    PERSON,
    Columns,
    match_columns,
    unescape_formula,
)
from leadscoring.intake.csv_import.error_file import ErrorFile
from leadscoring.intake.csv_import.event_ids import RowEventIds
from leadscoring.intake.csv_import.reader import CsvRow, CsvTable, UnreadableFile, open_table
from leadscoring.intake.dry_run import DryRun, start_dry_run
from leadscoring.intake.rejections import split_rejected

BATCH = 1000
SHOWN = 20
Item = dict[str, Any]
Taken = TakenContacts | TakenActivities
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class ImportKind:
    """What rows are: their fields, how they are taken, the words for the outcomes, and their contacts."""

    fields: Mapping[str, Sequence[str]]
    take: Callable[[list[Item], datetime, bool], Taken]
    words: Sequence[str]
    know: Callable[[DryRun, list[Item], datetime], None]
    have_events: bool
    id_source: str


def contact_rows(id_source: str = "") -> ImportKind:
    """Describe rows of people. `id_source`: the namespace of their ids."""

    def take(items: list[Item], at: datetime, scored: bool) -> TakenContacts:
        return take_contacts(items, at, scored, fixed=True)

    def know(rehearsing: DryRun, items: list[Item], at: datetime) -> None:
        persons, _ = split_rejected(enumerate(items), validation.validate_person)
        rehearsing.know([one.email for _, one in persons], [one.identifier for _, one in persons])

    words = ("created", "updated", "unchanged")
    return ImportKind(PERSON, take, words, know, have_events=False, id_source=id_source)


def activity_rows(source: str, id_source: str = "") -> ImportKind:
    """Describe rows of activities. `source`: of rows that name none. `id_source`: as of people."""

    def take(items: list[Item], at: datetime, scored: bool) -> TakenActivities:
        return take_activities(items, source, at, scored, OWN_SOURCES, fixed=True)

    def know(rehearsing: DryRun, items: list[Item], at: datetime) -> None:
        done, _ = split_rejected(
            enumerate(items), lambda item: validation.validate_activity(item, at)
        )
        rehearsing.know(
            [one.email for _, one in done],
            [one.identifier for _, one in done],
            [(one.source or source, one.event_id or "") for _, one in done],
        )

    return ImportKind(
        ACTIVITY, take, ("accepted", "duplicates"), know, have_events=True, id_source=id_source
    )


@dataclass(slots=True)
class FileImport:
    """An import under way: the open file, and what became of its rows so far."""

    kind: ImportKind
    table: CsvTable
    columns: Columns
    errors: ErrorFile | None
    ordinals: RowEventIds
    counts: Counter[str] = field(default_factory=Counter)
    rejections: list[tuple[int, str]] = field(default_factory=list)  # line and reason, the first

    def run(self, clock: Clock) -> Iterator[int]:
        """Take in the file; yield the number of rows of each batch when it is stored."""
        for batch in self.batches():
            yield self.take(batch, lambda items: self.kind.take(items, clock(), True))

    def rehearse(self, clock: Clock) -> Iterator[int]:
        """Do the same as `run` in a dry run."""
        with start_dry_run() as rehearsing:
            for batch in self.batches():
                yield self.take(batch, lambda items: self.as_if(rehearsing, items, clock()))

    def as_if(self, rehearsing: DryRun, items: list[Item], at: datetime) -> Taken:
        self.kind.know(rehearsing, items, at)
        return self.kind.take(items, at, False)

    def batches(self) -> Iterator[tuple[CsvRow, ...]]:
        try:
            yield from batched(self.table.rows, BATCH)
        finally:
            self.table.close()
            if self.errors:
                self.errors.close()
            self.ordinals.close()

    def take(self, batch: Sequence[CsvRow], take: Callable[[list[Item]], Taken]) -> int:
        whole = [row for row in batch if not row.wrong]
        refused = [(row, f"row: {row.wrong}") for row in batch if row.wrong]
        taken = take([self.item(row) for row in whole])
        refused += [(whole[one.index], f"{one.field}: {one.message}") for one in taken.rejected]
        for row, reason in sorted(refused, key=lambda one: one[0].line):
            self.put_aside(row, reason)
        self.counts.update({word: getattr(taken, word) for word in self.kind.words})
        self.counts["rejected"] += len(refused)
        return len(batch)

    def put_aside(self, row: CsvRow, reason: str) -> None:
        if self.errors:
            self.errors.write(row, reason)
        if len(self.rejections) < SHOWN:
            self.rejections.append((row.line, reason))

    def item(self, row: CsvRow) -> Item:
        if self.columns.mended:
            row.cells = [unescape_formula(cell) for cell in row.cells]
        item = self.columns.item(row.cells)
        if self.kind.id_source and "external_id" in item:
            item["id_source"] = self.kind.id_source
        if self.kind.have_events and "event_id" not in item:
            item["event_id"] = self.ordinals.event_id(self.columns.titles, row.cells)
        return item


def open_import(
    kind: ImportKind, path: Path, wanted: Mapping[str, str], errors: Path | None
) -> FileImport:
    """Open a file and find its columns. `errors`: where rejected rows go. Raise UnreadableFile."""
    source = open_table(path)
    try:
        found = match_columns(source.header, kind.fields, wanted)
    except UnreadableFile:
        source.close()
        raise
    aside = ErrorFile(errors, source.delimiter, found.titles) if errors else None
    return FileImport(kind, source, found, aside, RowEventIds())

"""A file goes in by batches through intake; rows that are refused are put aside with their reason."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

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
    Choices,
    Columns,
    match_columns,
    unescape_formula,
)
from leadscoring.intake.csv_import.encoding import UnreadableFile
from leadscoring.intake.csv_import.error_file import ErrorFile
from leadscoring.intake.csv_import.event_ids import RowEventIds
from leadscoring.intake.csv_import.reader import CsvRow, CsvTable, open_table
from leadscoring.intake.csv_import.row_reader import (
    RowReader,
    make_row_reader,
    properties_of_rules,
    wishes_of,
)
from leadscoring.intake.csv_import.titles import ACTIVITY, PERSON
from leadscoring.intake.dry_run import DryRun, start_dry_run
from leadscoring.intake.rejections import Rejection, split_rejected
from leadscoring.intake.validation import InvalidItem
from leadscoring.intake.wishes import MailWish, keep_wishes
from leadscoring.models import Contact, Identifier, ModelVersion

BATCH = 1000
SHOWN = 20
SAMPLE = 1000
Item = dict[str, Any]


class TakenRows(Protocol):
    """What became of some rows; the counts are attributes, named by the kind's words."""

    @property
    def rejected(self) -> list[Rejection]: ...


class AsideRows(Protocol):
    """Where rejected rows go."""

    def write(self, row: CsvRow, reason: str) -> None: ...

    def close(self) -> None: ...


Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class ImportKind:
    """What rows are: their fields, how they are taken, the words for the outcomes, and their contacts.

    `listed`: they are addresses that want no mail; an item is `{"wishes": [MailWish, …]}`.
    """

    fields: Mapping[str, Sequence[str]]
    take: Callable[[list[Item], datetime, bool], TakenRows]
    words: Sequence[str]
    know: Callable[[DryRun, list[Item], datetime], None]
    have_events: bool = False
    listed: bool = False
    id_source: str = ""


def contact_rows(id_source: str = "") -> ImportKind:
    """Describe rows of people. `id_source`: the namespace of their ids."""

    def take(items: list[Item], at: datetime, scored: bool) -> TakenContacts:
        return take_contacts(items, at, scored, fixed=True)

    def know(rehearsing: DryRun, items: list[Item], at: datetime) -> None:
        persons, _ = split_rejected(enumerate(items), validation.validate_person)
        rehearsing.know([one.email for _, one in persons], [one.identifier for _, one in persons])

    words = ("created", "updated", "unchanged")
    return ImportKind(PERSON, take, words, know, id_source=id_source)


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
    reader: RowReader
    errors: AsideRows | None
    ordinals: RowEventIds
    counts: Counter[str] = field(default_factory=Counter)
    rejections: list[tuple[int, str]] = field(default_factory=list)  # line and reason, the first
    suppressed: int = 0  # addresses of rows that say they want no mail

    @property
    def columns(self) -> Columns:
        return self.reader.columns

    @property
    def notes(self) -> list[str]:
        """Return what was decided for the file and cannot be seen in the counts."""
        return [*self.columns.notes, *self.reader.doubts.sentences()]

    def run(self, clock: Clock) -> Iterator[int]:
        """Take in the file; yield the number of rows of each batch when it is stored."""
        for batch in self.batches():
            yield self.take(batch, self.take_for_good, clock())

    def rehearse(self, clock: Clock) -> Iterator[int]:
        """Do the same as `run` in a dry run."""
        with start_dry_run() as rehearsing:
            for batch in self.batches():
                yield self.take(
                    batch,
                    lambda items, wishes, at: self.as_if(rehearsing, items, at),
                    clock(),
                )

    def take_for_good(self, items: list[Item], wishes: list[MailWish], at: datetime) -> TakenRows:
        """Suppress addresses before their people are scored, which could let them into a sequence."""
        if wishes:
            keep_wishes(wishes, at)
        return self.kind.take(items, at, True)

    def as_if(self, rehearsing: DryRun, items: list[Item], at: datetime) -> TakenRows:
        self.kind.know(rehearsing, items, at)
        return self.kind.take(items, at, False)

    def batches(self, size: int = BATCH) -> Iterator[tuple[CsvRow, ...]]:
        try:
            yield from batched(self.table.rows, size)
        finally:
            self.table.close()
            if self.errors:
                self.errors.close()
            self.ordinals.close()

    def take(
        self,
        batch: Sequence[CsvRow],
        take: Callable[[list[Item], list[MailWish], datetime], TakenRows],
        at: datetime,
    ) -> int:
        whole = [row for row in batch if not row.wrong]
        refused = [(row, f"row: {row.wrong}") for row in batch if row.wrong]
        done, unread = split_rejected(enumerate(whole), lambda row: self.item(row, at))
        wishes = [] if self.kind.listed else self.wishes(whole, at)
        self.suppressed += len(wishes)
        taken = take([item for _, item in done], wishes, at)
        rejected = [(done[one.index][0], one) for one in taken.rejected]
        refused += [
            (whole[place], f"{one.field}: {one.message}")
            for place, one in [*rejected, *((one.index, one) for one in unread)]
        ]
        for row, reason in sorted(refused, key=lambda one: one[0].line):
            self.put_aside(row, reason)
        self.counts.update({word: getattr(taken, word) for word in self.kind.words})
        self.counts["rejected"] += len(refused)
        return len(batch)

    def pass_over(self, rows: int, at: datetime) -> None:
        """Read rows that were taken in before, so that equal ones behind them get the ids of the next."""
        for row in islice(self.table.rows, rows):
            if not row.wrong:
                with suppress(InvalidItem):
                    self.item(row, at)

    def put_aside(self, row: CsvRow, reason: str) -> None:
        if self.errors:
            self.errors.write(row, reason)
        if len(self.rejections) < SHOWN:
            self.rejections.append((row.line, reason))

    def item(self, row: CsvRow, at: datetime) -> Item:
        if self.columns.mended:
            row.cells = [unescape_formula(cell) for cell in row.cells]
        if self.kind.listed:
            return {"wishes": self.reader.listed_wishes(row.cells, at)}
        item = self.reader.item(row.cells)
        if self.kind.id_source and "external_id" in item:
            item["id_source"] = self.kind.id_source
        if self.kind.have_events and "event_id" not in item:
            item["event_id"] = self.ordinals.event_id(self.columns.titles, row.cells)
        return item

    def wishes(self, rows: Sequence[CsvRow], at: datetime) -> list[MailWish]:
        """Return who of some rows wants no mail, also of rows that are refused for something else.

        A row with an id alone speaks of the address that is known of it.
        """
        found = [wish for row in rows for wish in self.reader.wishes(row.cells, at)]
        place = self.columns.fields.get("external_id")
        if place is None:
            return found
        ids = {
            row.cells[place].strip(): asked
            for row in rows
            if (asked := self.reader.asked(row.cells)) and not self.reader.addresses(row.cells)
        }
        if not ids:
            return found
        named = addresses_of_ids(self.kind.id_source, ids)
        return [
            *found,
            *(one for id_, email in named for one in wishes_of([email or ""], ids[id_ or ""], at)),
        ]


def addresses_of_ids(id_source: str, ids: Iterable[str]) -> Iterable[tuple[str | None, str | None]]:
    """Return (id, address) of the people whom ids of a namespace name and whose address is known."""
    if id_source:
        named = Identifier.objects.filter(source=id_source, value__in=ids)
        return named.filter(contact__email__isnull=False).values_list("value", "contact__email")
    known = Contact.objects.filter(external_id__in=ids, email__isnull=False)
    return known.values_list("external_id", "email")


def open_import(
    kind: ImportKind, path: Path, choices: Choices, errors: Path | AsideRows | None, at: datetime
) -> FileImport:
    """Open a file, find its columns and how its cells are written. Raise UnreadableFile.

    `errors`: where rejected rows go, or the file for them. `at`: when; the model in force then asks for
    some properties.
    """
    source = open_table(path, choices.encoding, delimiter=choices.delimiter, sheet=choices.sheet)
    try:
        some = list(islice(source.rows, SAMPLE))
        source.rows = chain(some, source.rows)
        sample = [row.cells for row in some if not row.wrong]
        model = ModelVersion.objects.in_force(at).model
        asked, numbers = properties_of_rules(model, of_activities=kind.have_events)
        choices = replace(choices, asked=asked, numbers=numbers)
        found = match_columns(source.header, kind.fields, choices, sample)
        reader = make_row_reader(found, choices, sample, of_activities=kind.have_events)
        if source.sheet:  # its numbers come with a point, and no thousands are marked in them
            reader.decimals = {name: sign or "." for name, sign in reader.decimals.items()}
    except UnreadableFile:
        source.close()
        raise
    aside = (
        ErrorFile(errors, source.delimiter, found.titles) if isinstance(errors, Path) else errors
    )
    return FileImport(kind, source, reader, aside, RowEventIds())

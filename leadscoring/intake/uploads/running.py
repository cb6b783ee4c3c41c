"""An uploaded file is checked and taken in by parts, each in one transaction with how far it is.

A worker that is killed loses the part in hand, and the next one goes on where it stood: no row is taken twice.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet

from leadscoring.common.text import bounded_line, storable_text
from leadscoring.intake.csv_import.encoding import UnreadableFile
from leadscoring.intake.csv_import.importer import Clock, FileImport, open_import
from leadscoring.intake.csv_import.reader import CsvRow
from leadscoring.intake.journal import open_journal
from leadscoring.intake.uploads.choices import importer_choices, kind_of
from leadscoring.intake.uploads.store import file_of
from leadscoring.intake.uploads.wording import page_sentence
from leadscoring.models import Import, RejectedRow
from leadscoring.operations import failpoints

PART = 250
CHECKED_ROWS = 20_000
MOST_ROWS = 200_000
MOST_TRIES = 5
SUPPRESSED, REJECTED = "no_mail", "rejected"
TOO_MANY = f"The file has more than {MOST_ROWS:,} rows: split it."
GAVE_UP = (
    "It stopped here several times in a row. What is in so far is kept; ask whoever runs this site."
)


class Overtaken(Exception):
    """Another worker goes on with this import, or a person stopped it."""


@dataclass(slots=True)
class RejectedRows:
    """Rejected rows of the part in hand."""

    imported: Import
    rows: list[RejectedRow] = field(default_factory=list)

    def write(self, row: CsvRow, reason: str) -> None:
        cells = [storable_text(cell, 32_767) for cell in row.cells]
        said = storable_text(page_sentence(reason), 1000)
        self.rows.append(
            RejectedRow(imported=self.imported, line=row.line, cells=cells, reason=said)
        )

    def close(self) -> None:
        """Keep nothing: each part is stored with its rows."""


@contextmanager
def opened_import(row: Import, aside: RejectedRows | None, at: datetime) -> Iterator[FileImport]:
    with file_of(row) as path:
        running = open_import(kind_of(row), path, importer_choices(row.choices), aside, at)
        try:
            yield running
        finally:
            running.table.close()


def check_import(row: Import, clock: Clock) -> None:
    """Find out what taking a file in would do, and change nothing. A long file: what its beginning would do."""
    try:
        with opened_import(row, None, clock()) as running:
            lines = running.table.lines
            if lines > MOST_ROWS * 2:  # of text, a row may have several lines
                raise UnreadableFile(TOO_MANY)
            running.table.rows = islice(running.table.rows, CHECKED_ROWS)
            for _ in running.rehearse(clock):
                pass
            forecast = _forecast(running)
            more = sum(1 for _ in islice(running.table.rows, 1))
    except UnreadableFile as wrong:
        said = bounded_line(page_sentence(str(wrong)), 500)
        _checking(row).update(state=Import.State.COLUMNS, problem=said)
        return
    checked = sum(running.counts.values())
    forecast["beginning"] = checked if more or checked == CHECKED_ROWS else 0
    rows = checked if checked < CHECKED_ROWS else lines
    _checking(row).update(state=Import.State.CHECKED, forecast=forecast, rows=rows)


def _checking(row: Import) -> QuerySet[Import]:
    return Import.objects.filter(pk=row.pk, state=Import.State.CHECKING)


def _forecast(running: FileImport) -> dict[str, object]:
    wishing = [one.title for one in running.reader.wish_columns if not one.wishes_only]
    return {
        "counts": _counts(running),
        "rejections": [
            {"line": line, "reason": page_sentence(why)} for line, why in running.rejections
        ],
        "notes": [page_sentence(note) for note in running.notes],
        "no_mail_columns": wishing,
    }


def _counts(running: FileImport) -> dict[str, int]:
    counts = {word: running.counts[word] for word in (*running.kind.words, REJECTED)}
    return counts if running.kind.listed else {**counts, SUPPRESSED: running.suppressed}


def take_in(row: Import, clock: Clock, end: Callable[[], bool]) -> None:
    """Take rows in from where the import stands, until the file or the turn ends. Raise Overtaken."""
    aside = RejectedRows(row)
    try:
        with opened_import(row, aside, clock()) as running:
            running.pass_over(row.done, clock())
            batches = running.batches(PART)
            for batch in batches:
                _take_part(row, running, aside, batch, clock())
                failpoints.reach("import_part_stored")
                if end():
                    return
            notes = [page_sentence(note) for note in running.notes]
    except UnreadableFile as wrong:
        finish_import(row, clock(), problem=page_sentence(str(wrong)))
    else:
        finish_import(row, clock(), notes=notes)


def _take_part(
    row: Import,
    running: FileImport,
    aside: RejectedRows,
    batch: tuple[CsvRow, ...],
    at: datetime,
) -> None:
    running.counts, running.suppressed, aside.rows = Counter(), 0, []
    with transaction.atomic():
        # Held until the part is stored, so that two workers take none twice.
        locked = Import.objects.select_for_update().get(pk=row.pk)
        if locked.state != Import.State.RUNNING or locked.done != row.done:
            raise Overtaken
        with open_journal(row) as journal:
            running.take(batch, running.take_for_good, at)
        journal.store(at)
        RejectedRow.objects.bulk_create(aside.rows)
        locked.counts = dict(Counter(locked.counts) + Counter(_counts(running)))
        locked.done += len(batch)
        locked.rows, locked.tries = max(locked.rows, locked.done), 0
        locked.save(update_fields=["counts", "done", "rows", "tries"])
    row.done = locked.done


def finish_import(
    row: Import, at: datetime, *, notes: list[str] | None = None, problem: str = ""
) -> None:
    """End an import, of which the file is not needed any more."""
    with transaction.atomic():
        running = Import.objects.filter(pk=row.pk, state=Import.State.RUNNING)
        ended = running.update(
            state=Import.State.DONE,
            finished_at=at,
            rows=row.done,
            notes=notes or [],
            problem=bounded_line(problem, 500),
        )
        if ended:
            row.parts.all().delete()

"""What intake changes while an import that can be undone is under way; at other times nothing is noted."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadscoring.common.bulk_sql import run_statement
from leadscoring.models import Contact, Import, ImportChange, ImportWish

FIELDS = ("email", "external_id", "first_name", "last_name", "company_id", "job_title", "phone", "country")  # fmt: skip
STORED = """
    SELECT contact_id, array_agg(id) FROM leadscoring_activity
    JOIN unnest(%s::text[], %s::text[]) AS asked(source, event_id) USING (source, event_id)
    WHERE received_at = %s GROUP BY contact_id
"""


@dataclass(frozen=True, slots=True)
class WishChange:
    """What a wish changed of an address: how it stood before (None: not suppressed) and afterwards."""

    email: str
    before: dict[str, str] | None
    after: dict[str, str]


@dataclass(slots=True)
class Journal:
    """What one batch did. A batch that begins again, after a race, notes everything again."""

    imported: Import
    before: dict[int, Contact] = field(default_factory=dict)
    made: set[int] = field(default_factory=set)
    identifiers: dict[tuple[str, str], int] = field(default_factory=dict)
    events: Sequence[tuple[str, str]] = ()
    wishes: list[WishChange] = field(default_factory=list)

    def store(self, at: datetime) -> None:
        """Keep what was noted. Call in the batch's own transaction, whose rows it has locked."""
        after = Contact.objects.in_bulk(self.before.keys() | self.made)
        activities = self._stored_activities(at)
        ImportChange.objects.bulk_create(
            ImportChange(
                imported=self.imported, contact_id=pk, at=at, created=pk in self.made,
                **({} if pk in self.made or pk not in after else changes_of(self.before[pk], after[pk])),
                identifiers=[[*key] for key, owner in self.identifiers.items() if owner == pk],
                activities=activities.get(pk, []),
            )
            for pk in sorted(after.keys() | activities.keys())
        )  # fmt: skip
        ImportWish.objects.bulk_create(
            ImportWish(imported=self.imported, email=one.email, before=one.before, after=one.after)
            for one in self.wishes
        )

    def _stored_activities(self, at: datetime) -> dict[int, list[int]]:
        """Return the ids of the batch's activities by contact; those known before came in earlier."""
        if not self.events:
            return {}
        sources, event_ids = zip(*self.events, strict=True)
        return dict(run_statement(STORED, [list(sources), list(event_ids), at]))


_open: ContextVar[Journal | None] = ContextVar("import_journal", default=None)


@contextmanager
def open_journal(imported: Import) -> Iterator[Journal]:
    journal = Journal(imported)
    token = _open.set(journal)
    try:
        yield journal
    finally:
        _open.reset(token)


def changes_of(before: Contact, after: Contact) -> dict[str, dict[str, Any]]:
    """Return what differs between two states of a contact: name -> both values."""
    pairs = {name: [getattr(before, name), getattr(after, name)] for name in FIELDS}
    names = before.properties.keys() | after.properties.keys()
    facts = {name: [before.properties.get(name), after.properties.get(name)] for name in names}
    return {
        "fields": {name: pair for name, pair in pairs.items() if pair[0] != pair[1]},
        "properties": {name: pair for name, pair in facts.items() if pair[0] != pair[1]},
    }


def note_people_before(
    changed: Iterable[int], made: set[int], identifiers: dict[tuple[str, str], int]
) -> None:
    """Note the contacts that are about to be written, which are locked, as they stand in the database."""
    if journal := _open.get():
        journal.before = Contact.objects.in_bulk(set(changed) - made)
        journal.made, journal.identifiers = set(made), identifiers


def note_events(events: Iterable[tuple[str, str]]) -> None:
    """Note activities that are about to be stored, by source and event id."""
    if journal := _open.get():
        journal.events = list(events)


def note_wishes(changes: Iterable[WishChange]) -> None:
    if journal := _open.get():
        journal.wishes += changes


def forget_wishes(emails: Iterable[str]) -> None:
    """Let no import take back what somebody else says of these addresses, too."""
    journal = _open.get()
    others = ImportWish.objects.exclude(imported=journal.imported if journal else None)
    others.filter(email__in=list(emails)).delete()

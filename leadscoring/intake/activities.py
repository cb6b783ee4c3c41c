"""Take in activities: store each once and score their contacts, in one transaction."""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from leadscoring.common import bulk_sql
from leadscoring.intake import activity_types, validation
from leadscoring.intake.journal import note_events
from leadscoring.intake.people import (
    IdentityMap,
    KnownIdentity,
    contacts_by_id,
    lock_people,
    retry_on_race,
    save_contacts,
)
from leadscoring.intake.rejections import Rejection, split_rejected
from leadscoring.intake.touches import VIEW, PageView, record_touches
from leadscoring.intake.validation import ActivityItem, InvalidItem
from leadscoring.models import Activity
from leadscoring.scoring import REFUSED, SALES_SOURCE, rescore

Event = tuple[str, str]  # source and event id
# Sources of activities that this program stores itself: what a deal did, and what its mails did.
OWN_SOURCES = frozenset({SALES_SOURCE, "sequences"})
Stored = tuple[int, str, datetime]  # contact id, type, when

# Later than this after it happened, an activity is history: it counts in the score and starts nothing.
NEWS = timedelta(days=7)
# Kept as activities since they may count in a score, but the contact did not act.
NOT_THEIR_DOING = frozenset({"email_sent", REFUSED, "sales_deal", "sales_won", "sales_lost"})

KNOWN = """
    SELECT source, event_id FROM leadscoring_activity
    JOIN unnest(%s::text[], %s::text[]) AS asked(source, event_id) USING (source, event_id)
"""
LATEST = """
    UPDATE leadscoring_contact SET last_activity_at = latest.at
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS latest(contact_id, at)
    WHERE id = latest.contact_id AND (last_activity_at IS NULL OR last_activity_at < latest.at)
"""


@dataclass(slots=True)
class TakenActivities:
    """How many are new and how many known; by contact, the new ones' types that are no history.

    `stored`: how many are new, by type.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    types: dict[int, set[str]] = field(default_factory=dict)
    contact_ids: set[int] = field(default_factory=set)
    stored: Counter[str] = field(default_factory=Counter)

    @property
    def taken(self) -> int:
        return self.accepted + self.duplicates


def take_activities(
    items: Sequence[object],
    source: str,
    at: datetime,
    scored: bool = True,
    others: Container[str] = (),
    fixed: bool = False,
) -> TakenActivities:
    """Take in activities, at most some thousand at a time; scores are up to date afterwards.

    `source`: of those that name none. `others`: sources that the sender may not name, since an event
    id that it claimed in one would keep the real one out. `scored`: False for a dry run, which is
    rolled back. `fixed`: as of contacts.
    """

    def check(item: object) -> ActivityItem:
        checked = validation.validate_activity(item, at)
        if (checked.source or source) in others:
            raise InvalidItem("source", "is another sender's; leave it out")
        return checked

    checked, rejected = split_rejected(enumerate(items), check)
    labels = {item.type: _written_type(items[place]) for place, item in reversed(checked)}

    def work() -> TakenActivities:
        taken = _store_activities(checked, source, at, fixed)
        if scored:
            rescore(sorted(taken.contact_ids), at, taken.types)
        return taken

    taken = retry_on_race(work) if checked else TakenActivities()
    taken.rejected = sorted([*rejected, *taken.rejected])
    if scored:
        activity_types.record_types(source, taken.stored, labels, at)
    return taken


def _written_type(item: object) -> str:
    """Return the type as the sender of a valid item wrote it."""
    return validation.clean_line(str(item["type"])) if isinstance(item, Mapping) else ""


def _store_activities(
    given: Sequence[tuple[int, ActivityItem]], source: str, at: datetime, fixed: bool
) -> TakenActivities:
    fresh = _new_events(
        {place: (item.source or source, item.event_id or uuid4().hex) for place, item in given}
    )
    news = [(place, item) for place, item in given if place in fresh]
    people = lock_people([item for _, item in news], _resolve_person, at, fixed)
    done, rejected = split_rejected(news, lambda item: (_resolve_person(people, item), item))
    save_contacts(people, contacts_by_id(people.changed) if people.changed else {}, at)
    note_events(fresh.values())
    stored = bulk_sql.bulk_insert(
        Activity,
        [_activity_row(who, item, fresh[place], at) for place, (who, item) in done],
        order='source COLLATE "C", event_id COLLATE "C"',
        answer="contact_id, type, occurred_at",
    )
    _update_last_activity(stored)
    people.changed |= record_touches(
        [
            PageView(who.pk, min(item.occurred_at or at, at), item.properties or {})
            for _, (who, item) in done
            if item.type == VIEW
        ],
        at,
    )
    return TakenActivities(
        accepted=len(stored),
        duplicates=len(given) - len(rejected) - len(stored),
        rejected=rejected,
        types=_types_by_contact(stored, at - NEWS),
        contact_ids=people.changed | {contact_id for contact_id, _, _ in stored},
        stored=Counter(type_ for _, type_, _ in stored),
    )


def _new_events(events: Mapping[int, Event]) -> dict[int, Event]:
    """Return, by place, those that are not stored; of equal ones in the batch the first."""
    sources, event_ids = zip(*events.values(), strict=True)
    stored = set(bulk_sql.run_statement(KNOWN, [list(sources), list(event_ids)]))
    firsts = {event: place for place, event in reversed([*events.items()]) if event not in stored}
    return {place: event for event, place in firsts.items()}


def _resolve_person(people: IdentityMap, item: ActivityItem) -> KnownIdentity:
    """Find an activity's contact; create an unknown one, fill in missing identifiers.

    Change no address: an activity with an old address of a contact known by external_id may come late.
    """
    known = people.who(item.email, item.identifier)
    if known is None and item.email is None:
        raise InvalidItem("external_id", "is nobody's here; give an email to make the person known")
    if known is None:
        return people.make(item.email, item.identifier)
    people.identify(known, known.email or item.email, item.identifier)
    if known.pk in people.made:
        people.changed.add(known.pk)
    return known


def _activity_row(
    who: KnownIdentity, item: ActivityItem, event: Event, at: datetime
) -> bulk_sql.Row:
    source, event_id = event
    return {
        "contact_id": who.pk,
        "source": source,
        "event_id": event_id,
        "type": item.type,
        # A sender's clock may be ahead; nothing happened later than it came in, and it counts now.
        "occurred_at": min(item.occurred_at or at, at),
        "received_at": at,
        "properties": item.properties or {},
    }


def _types_by_contact(stored: Iterable[Stored], since: datetime) -> dict[int, set[str]]:
    types: dict[int, set[str]] = defaultdict(set)
    for contact_id, type_, occurred_at in stored:
        if occurred_at >= since:
            types[contact_id].add(type_)
    return dict(types)


def _update_last_activity(stored: Iterable[Stored]) -> None:
    """Remember when people last did something. What was done to them does not count."""
    latest: dict[int, datetime] = {}
    for contact_id, type_, occurred_at in stored:
        if type_ not in NOT_THEIR_DOING:
            latest[contact_id] = max(occurred_at, latest.get(contact_id, occurred_at))
    if latest:
        bulk_sql.run_statement(LATEST, [list(latest), list(latest.values())])

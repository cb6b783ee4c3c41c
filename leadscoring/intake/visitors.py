"""Visitors: what somebody did before it is known who they are waits, and becomes theirs at its own times."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, LiteralString

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from leadscoring.common import bulk_sql
from leadscoring.intake.activities import take_activities
from leadscoring.intake.people import KnownIdentity
from leadscoring.intake.rejections import Rejection
from leadscoring.intake.sources import record_sent
from leadscoring.intake.validation import ActivityItem
from leadscoring.models import TakenMessage, Visitor, WaitingActivity

VisitorId = tuple[str, str]  # kind and value
ANONYMOUS, USER = str(Visitor.Kind.ANONYMOUS), str(Visitor.Kind.USER)
# Of a person who becomes known, so many waiting activities join in one part and at once; a task takes the rest.
PART, PARTS_AT_ONCE = 1_000, 5
# A repeat of a message comes within days.
MESSAGES_KEPT = timedelta(days=30)
LINK = """
    UPDATE leadscoring_visitor AS visitor SET contact_id = asked.contact_id, same_as_id = NULL
    FROM unnest(%s::bigint[], %s::bigint[]) AS asked(id, contact_id)
    WHERE visitor.id = asked.id OR visitor.same_as_id = asked.id
"""
JOIN = """
    UPDATE leadscoring_visitor AS visitor SET same_as_id = asked.root
    FROM unnest(%s::bigint[], %s::bigint[]) AS asked(id, root)
    WHERE visitor.id = asked.id OR visitor.same_as_id = asked.id
"""
LINK_USERS = """
    WITH known AS (
        SELECT coalesce(visitor.same_as_id, visitor.id) AS root, contact.id AS contact_id
        FROM leadscoring_visitor AS visitor
        JOIN leadscoring_contact AS contact ON contact.external_id = visitor.value
        WHERE visitor.kind = %s AND visitor.contact_id IS NULL ORDER BY visitor.id LIMIT %s
    )
    UPDATE leadscoring_visitor AS visitor SET contact_id = known.contact_id, same_as_id = NULL
    FROM known WHERE visitor.id = known.root OR visitor.same_as_id = known.root
"""
# Rows that one call of `prune_visitors` deletes at most, of each kind.
PRUNED = 20_000


def identity_json(known: KnownIdentity) -> dict[str, object]:
    """Return what names a contact in an item."""
    return {"email": known.email} if known.email else {"external_id": known.external_id}


def known_visitors(ids: Collection[VisitorId]) -> dict[VisitorId, KnownIdentity]:
    """Return whose ids these are, of those of which it is known."""
    columns = ("kind", "value", "contact__pk", "contact__email", "contact__external_id")
    rows = _visitors(ids).filter(contact__isnull=False).values_list(*columns) if ids else ()
    return {(kind, value): KnownIdentity(*who) for kind, value, *who in rows}


class VisitorMap:
    """Visitors by id, as a batch goes through them. What changes is written by `save`."""

    def __init__(self, rows: Iterable[Visitor]) -> None:
        self.by_id: dict[VisitorId, Visitor] = {}
        self.groups: dict[int, list[Visitor]] = defaultdict(list)
        self.links: dict[int, int] = {}
        self.joined: dict[int, int] = {}
        for row in rows:
            self.by_id[row.kind, row.value] = row
            self.groups[_root(row)].append(row)

    def get(self, kind: str, value: str) -> Visitor | None:
        return self.by_id.get((kind, value))

    def link(self, visitor: Visitor, contact_id: int) -> None:
        """Let a visitor, and the other ids of the same person, be a contact's from now on.

        A browser in which two people said who they are is the later one's; what is the first one's stays.
        """
        if visitor.contact_id == contact_id:
            return
        for row in [visitor, *self.groups.pop(_root(visitor), [])]:
            self.links[row.pk] = self.links[_root(row)] = contact_id
            row.contact_id, row.same_as_id = contact_id, None

    def join(self, visitor: Visitor, other: Visitor) -> None:
        """Note that two ids of which nobody knows whose they are belong to the same person."""
        group, root = _root(visitor), _root(other)
        if visitor.contact_id or other.contact_id or group == root:
            return
        self.joined[group] = root
        for row in self.groups.pop(group, []):
            row.same_as_id = root
            self.groups[root].append(row)

    def save(self) -> None:
        # In this order: whoever was joined with somebody is known with them.
        for group, root in self.joined.items():
            self.joined[group] = self.joined.get(root, root)
        for statement, pairs in ((JOIN, self.joined), (LINK, self.links)):
            if pairs:
                bulk_sql.run_statement(statement, [list(pairs), list(pairs.values())])


def _root(visitor: Visitor) -> int:
    return visitor.same_as_id or visitor.pk


def lock_visitors(
    looked_for: Collection[VisitorId], needed: Collection[VisitorId], at: datetime
) -> VisitorMap:
    """Lock visitors until the end of the transaction; create those that are needed and missing.

    Whoever lets something wait and whoever says whose it is wait for each other here, so that nothing
    is left waiting of somebody who is known.
    """
    ids = {*looked_for, *needed}
    found = _lock(ids)
    missing = {*needed} - found.by_id.keys()
    if not missing:
        return found
    rows = [{"kind": kind, "value": value, "created_at": at} for kind, value in missing]
    bulk_sql.bulk_insert(Visitor, rows, 'kind COLLATE "C", value COLLATE "C"', "id")
    return _lock(ids)


def _lock(ids: Collection[VisitorId]) -> VisitorMap:
    return VisitorMap(_visitors(ids).order_by("pk").select_for_update() if ids else ())


def _visitors(ids: Iterable[VisitorId]) -> QuerySet[Visitor]:
    values: dict[str, list[str]] = {ANONYMOUS: [], USER: []}
    for kind, value in ids:
        values[kind].append(value)
    named = Q(kind=ANONYMOUS, value__in=values[ANONYMOUS]) | Q(kind=USER, value__in=values[USER])
    return Visitor.objects.filter(named)


def let_wait(
    given: Iterable[tuple[Visitor, ActivityItem]], source: str, at: datetime
) -> Counter[str]:
    """Keep activities until it is known whose they are; a repeat is kept once.

    Return how many are new, by type.
    """
    rows = [
        {
            "visitor_id": visitor.pk,
            "source": source,
            "event_id": item.event_id,
            "type": item.type,
            "occurred_at": min(item.occurred_at or at, at),
            "received_at": at,
            "properties": item.properties or {},
        }
        for visitor, item in given
    ]
    order: LiteralString = 'source COLLATE "C", event_id COLLATE "C"'
    return Counter(type_ for (type_,) in bulk_sql.bulk_insert(WaitingActivity, rows, order, "type"))


def join_waiting(contact_ids: Collection[int], at: datetime) -> None:
    """Make activities of what waited for these contacts, at its own times.

    Killed in between, it goes on with the next call: an activity is stored once.
    """
    for _ in range(PARTS_AT_ONCE):
        waiting = WaitingActivity.objects.filter(visitor__contact__in=contact_ids)
        part = list(waiting.select_related("visitor__contact").order_by("pk")[:PART])
        if not part:
            return
        items = [_activity_json(row) for row in part]
        taken = take_activities(items, "", at)
        _record_refused(items, taken.rejected, at)
        WaitingActivity.objects.filter(pk__in=[row.pk for row in part]).delete()


def _record_refused(
    items: Sequence[dict[str, Any]], rejected: Iterable[Rejection], at: datetime
) -> None:
    """Keep why some of what waited was not taken, with whoever had sent it. It counted as sent when it came."""
    refused: dict[str, list[Rejection]] = defaultdict(list)
    for one in rejected:
        refused[items[one.index]["source"]].append(one)
    for source, some in refused.items():
        sent = [items[one.index] for one in some]
        placed = [replace(one, index=place) for place, one in enumerate(some)]
        record_sent(source, "activity", sent, placed, at, came=0)


def _activity_json(row: WaitingActivity) -> dict[str, Any]:
    contact = row.visitor.contact
    who = KnownIdentity(contact.pk, contact.email, contact.external_id) if contact else None
    return {
        **(identity_json(who) if who else {}),
        "type": row.type,
        "occurred_at": row.occurred_at.isoformat(),
        "event_id": row.event_id,
        "source": row.source,
        "properties": row.properties,
    }


# --- messages -------------------------------------------------------------------------------------
def taken_messages(source: str, event_ids: Collection[str]) -> set[str]:
    """Return which messages about people were taken already."""
    found = TakenMessage.objects.filter(source=source, event_id__in=event_ids)
    return set(found.values_list("event_id", flat=True)) if event_ids else set()


def record_messages(source: str, event_ids: Collection[str], at: datetime) -> int:
    """Remember that messages were taken; return how many of them were not before."""
    rows = [{"source": source, "event_id": event_id, "at": at} for event_id in event_ids]
    order: LiteralString = 'source COLLATE "C", event_id COLLATE "C"'
    return len(bulk_sql.bulk_insert(TakenMessage, rows, order, "id"))


# --- the task -------------------------------------------------------------------------------------
def join_late(at: datetime) -> None:
    """Join what waits for people who became known by another way, and what a killed process left."""
    bulk_sql.run_statement(LINK_USERS, [USER, PART])
    waiting = WaitingActivity.objects.filter(visitor__contact__isnull=False)
    join_waiting(set(waiting.values_list("visitor__contact", flat=True)[:PART]), at)


def prune_visitors(at: datetime) -> int:
    """Delete what nobody claimed in ANONYMOUS_DAYS, at most so much at once; return how much it was."""
    before = at - timedelta(days=settings.ANONYMOUS_DAYS)
    old = WaitingActivity.objects.filter(received_at__lt=before)
    busy = WaitingActivity.objects.filter(visitor=OuterRef("pk"))
    others = Visitor.objects.filter(same_as=OuterRef("pk"))
    gone = _delete_some(old) + _delete_some(
        Visitor.objects.filter(~Exists(busy), ~Exists(others), contact=None, created_at__lt=before)
    )
    return gone + _delete_some(TakenMessage.objects.filter(at__lt=at - MESSAGES_KEPT))


def _delete_some(rows: QuerySet[Any]) -> int:
    """Delete the oldest rows, at most PRUNED."""
    chosen = list(rows.order_by("pk").values_list("pk", flat=True)[:PRUNED])
    return int(rows.model.objects.filter(pk__in=chosen).delete()[0]) if chosen else 0

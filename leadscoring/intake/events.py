"""Segment's events come in: people by identify and group, activities by the rest, and what visitors did waits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from leadscoring.intake import activity_types, visitors
from leadscoring.intake.activities import take_activities
from leadscoring.intake.contacts import take_contacts
from leadscoring.intake.people import IdentityMap, KnownIdentity, lock_people, retry_on_race
from leadscoring.intake.rejections import Rejection, split_rejected
from leadscoring.intake.segment import Event, address_of, read_event
from leadscoring.intake.shared_browsers import split_at_changes
from leadscoring.intake.validation import (
    ActivityItem,
    InvalidItem,
    PersonItem,
    validate_activity,
)
from leadscoring.intake.visitors import ANONYMOUS, USER, VisitorId, VisitorMap
from leadscoring.merging import merge_contacts
from leadscoring.models import Contact, Visitor

# Our field -> what the sender calls it.
SENT_AS = {
    "external_id": "userId",
    "occurred_at": "timestamp",
    "event_id": "messageId",
    "type": "event",
    "first_name": "firstName",
    "last_name": "lastName",
    "job_title": "title",
}
ABOUT_PEOPLE = ("identify", "group", "alias")
NOBODY = "nobody is known by this anonymousId yet"
TWO_PEOPLE = "names somebody else already; an alias does not make one person of two"

EventsByPlace = dict[int, Event]


@dataclass(slots=True)
class TakenEvents:
    """How many events came, and those that were not taken."""

    came: int
    rejected: list[Rejection] = field(default_factory=list)


@dataclass(slots=True)
class SortedEvents:
    """What becomes of events: activities of known people, and what waits; and who became known.

    `now_waiting`: how many did not wait before, by type. `written`: these types as they were sent.
    """

    activities: dict[int, dict[str, object]] = field(default_factory=dict)
    waiting: list[tuple[Visitor, ActivityItem]] = field(default_factory=list)
    known: set[int] = field(default_factory=set)
    rejected: list[Rejection] = field(default_factory=list)
    now_waiting: Counter[str] = field(default_factory=Counter)
    written: dict[str, str] = field(default_factory=dict)


def take_events(
    raw: Sequence[object],
    kind: str,
    around: Mapping[str, Any],
    sent_at: object,
    source: str,
    at: datetime,
) -> TakenEvents:
    """Take in Segment's events, at most some thousand at a time; scores are up to date afterwards.

    `kind`: what the address says they are, "" in a batch. `around`: the body. `source`: whose event ids
    they are. `sent_at`: when the sender's clock says it sent them, if the request says so.
    """
    read, rejected = split_rejected(
        enumerate(raw), lambda one: read_event(one, kind, around, sent_at, at)
    )
    rejected += store_events(dict(read), source, at)
    return TakenEvents(len(raw), sorted(_in_words_of_sender(rejected)))


def store_events(events: EventsByPlace, source: str, at: datetime) -> list[Rejection]:
    """Store well-formed events, each once, and score their people; return those refused, by place."""
    events, rejected = _without_repeats(events, source), []
    for part in filter(None, split_at_changes(events, _holders(events))):
        rejected += _store_part(part, source, at)
    return rejected


def _store_part(events: EventsByPlace, source: str, at: datetime) -> list[Rejection]:
    """Store events among which no browser changes hands; return those refused."""
    events, rejected = _take_people(events, at)
    found = retry_on_race(lambda: _sort(events, source, at)) if events else SortedEvents()
    rejected += found.rejected + _take_activities(found.activities, source, at)
    activity_types.record_types(source, found.now_waiting, found.written, at)
    visitors.join_waiting(found.known, at)
    spoiled = {one.index for one in rejected}
    told = {e.event_id for i, e in events.items() if e.kind in ABOUT_PEOPLE and i not in spoiled}
    visitors.record_messages(source, told - {""}, at)
    return rejected


def _holders(events: EventsByPlace) -> dict[str, set[str]]:
    """Return the names of whom browsers belong to, of several events that sign some."""
    signed = [event for event in events.values() if event.email or event.user_id]
    browsers = {
        (ANONYMOUS, one) for each in signed for one in (each.anonymous_id, each.previous_id)
    }
    known = visitors.known_visitors(browsers - {(ANONYMOUS, "")}) if len(events) > 1 else {}
    return {
        value: {name for name in (who.email, who.external_id) if name}
        for (_, value), who in known.items()
    }


def _in_words_of_sender(rejected: Sequence[Rejection]) -> list[Rejection]:
    return [replace(one, field=SENT_AS.get(one.field, one.field)) for one in rejected]


def _without_repeats(events: EventsByPlace, source: str) -> EventsByPlace:
    """Leave out what told of people before: a repeat of it would undo what was told since."""
    told = {e.event_id for e in events.values() if e.kind in ABOUT_PEOPLE} - {""}
    repeated = visitors.taken_messages(source, told)
    return {
        place: event
        for place, event in events.items()
        if event.kind not in ABOUT_PEOPLE or event.event_id not in repeated
    }


# --- people ---------------------------------------------------------------------------------------
def _take_people(events: EventsByPlace, at: datetime) -> tuple[EventsByPlace, list[Rejection]]:
    """Take what events tell of people; return the events that are left, with those refused."""
    linked = visitors.known_visitors(_visitor_ids(events))
    emails = {event.email for event in events.values()} - {""}
    here = set(Contact.objects.filter(email__in=emails).values_list("email", flat=True))
    _merge_late_addresses(events, at)
    items, rejected = {}, []
    for place, event in events.items():
        if event.kind in ("identify", "group") or (event.email and event.email not in here):
            if who := _identity(event, linked):
                items[place] = {**who, **event.profile}
            elif event.kind == "group":
                rejected.append(Rejection(place, "userId", NOBODY))
            else:
                rejected.append(
                    Rejection(
                        place, "userId", "is missing, and so is traits.email: one of them is needed"
                    )
                )
    places = list(items)
    taken = take_contacts(list(items.values()), at)
    rejected += [replace(one, index=places[one.index]) for one in taken.rejected]
    refused = {one.index for one in rejected}
    return {place: event for place, event in events.items() if place not in refused}, rejected


def _identity(event: Event, linked: Mapping[VisitorId, KnownIdentity]) -> dict[str, object]:
    """Return what names the person of an event in an item; {} for nobody who is known."""
    if known := linked.get((USER, event.user_id)):
        named = {
            "email": event.email or known.email,
            "external_id": known.external_id or event.user_id,
        }
        return {name: value for name, value in named.items() if value}
    if event.email or event.user_id:
        named = {"email": event.email, "external_id": event.user_id}
        return {name: value for name, value in named.items() if value}
    known = linked.get((ANONYMOUS, event.anonymous_id))
    return visitors.identity_json(known) if known else {}


def _merge_late_addresses(events: EventsByPlace, at: datetime) -> None:
    """Make one person of a user without an address and the address that the user turns out to have.

    Only where neither has what the other has: two who both said who they are stay two.
    """
    pairs = {
        e.user_id: e.email
        for e in events.values()
        if e.kind == "identify" and e.user_id and e.email
    }
    users = Contact.objects.filter(external_id__in=pairs, email=None)
    without_address = dict(users.values_list("external_id", "pk"))
    if not without_address:
        return
    addresses = [pairs[user_id] for user_id in without_address if user_id]
    people = Contact.objects.filter(email__in=addresses, external_id=None)
    without_id = dict(people.values_list("email", "pk"))
    for user_id, gone_id in without_address.items():
        if kept_id := without_id.pop(pairs[str(user_id)], None):
            merge_contacts(kept_id, gone_id, at)


# --- whose it is ----------------------------------------------------------------------------------
def _visitor_ids(events: EventsByPlace) -> set[VisitorId]:
    ids = {(ANONYMOUS, event.anonymous_id) for event in events.values()}
    ids |= {(USER, event.user_id) for event in events.values()}
    ids |= {(kind, event.previous_id) for event in events.values() for kind in (ANONYMOUS, USER)}
    return {(kind, value) for kind, value in ids if value}


def _sort(events: EventsByPlace, source: str, at: datetime) -> SortedEvents:
    """Find whose each event is, let wait what is nobody's yet, and note whose a visitor is."""
    linked = visitors.known_visitors(_visitor_ids(events))
    asked = {place: _identity(event, linked) for place, event in events.items()}
    before = {
        place: _previous(event, linked) for place, event in events.items() if event.previous_id
    }
    people = lock_people(_persons([*asked.values(), *before.values()]), lambda *_: None, at)
    owners, rejected = split_rejected(asked.items(), lambda one: _who(people, one))
    whose = dict(owners)
    once = {
        place: known
        for place, one in before.items()
        if (known := _who_or_none(people, one)) is not None
    }
    needed = {(ANONYMOUS, event.anonymous_id) for event in events.values()}
    needed |= {(USER, events[place].user_id) for place, who in whose.items() if who is None}
    needed |= {(ANONYMOUS, events[place].previous_id) for place in before.keys() - once.keys()}
    book = visitors.lock_visitors(_visitor_ids(events), {one for one in needed if one[1]}, at)
    found = SortedEvents(rejected=rejected)
    for place, who in whose.items():
        event = events[place]
        try:
            if event.kind == "alias":
                who = _alias(event, who, once.get(place), book)
            _note_visitors(event, who, book)
            if event.activity and who:
                found.activities[place] = {**asked[place], **_activity(event)}
            elif event.activity:
                _wait(event, book, found, at)
        except InvalidItem as refused:
            found.rejected.append(Rejection(place, refused.field, refused.message))
    book.save()
    found.known |= set(book.links.values())
    found.now_waiting = visitors.let_wait(found.waiting, source, at)
    return found


def _previous(event: Event, linked: Mapping[VisitorId, KnownIdentity]) -> dict[str, object]:
    """Return what the former id of an alias may name in an item."""
    for kind in (USER, ANONYMOUS):
        if known := linked.get((kind, event.previous_id)):
            return visitors.identity_json(known)
    email = address_of(event.previous_id)
    return {"email": email} if email else {"external_id": event.previous_id}


def _persons(asked: Sequence[Mapping[str, object]]) -> list[PersonItem]:
    distinct = {tuple(sorted(one.items())) for one in asked if one}
    return [PersonItem.model_validate(dict(one)) for one in sorted(distinct)]


def _who(people: IdentityMap, asked: Mapping[str, Any]) -> KnownIdentity | None:
    if not asked:
        return None
    item = PersonItem.model_validate(dict(asked))
    return people.who(item.email, item.identifier)


def _who_or_none(people: IdentityMap, asked: Mapping[str, Any]) -> KnownIdentity | None:
    with suppress(InvalidItem):
        return _who(people, asked)
    return None


def _alias(
    event: Event, who: KnownIdentity | None, once: KnownIdentity | None, book: VisitorMap
) -> KnownIdentity | None:
    """Let a former id name the person of an alias; return that person. Raise InvalidItem."""
    if event.previous_id == event.user_id or address_of(event.previous_id) == event.email != "":
        return who
    user = book.get(USER, event.previous_id)
    browser = book.get(ANONYMOUS, event.previous_id)
    # A browser goes over to whoever says last that it is theirs; a user who has an id of their own stays.
    if who and once and who.pk != once.pk and not (browser and browser.contact_id == once.pk):
        raise InvalidItem("previousId", TWO_PEOPLE)
    person = who or once
    target = book.get(USER, event.user_id) or book.get(ANONYMOUS, event.anonymous_id)
    for former in filter(None, (user, browser)):
        if person:
            book.link(former, person.pk)
        elif target:
            book.join(former, target)
    return person


def _note_visitors(event: Event, who: KnownIdentity | None, book: VisitorMap) -> None:
    """Remember that the ids of an event belong to one person."""
    user, browser = book.get(USER, event.user_id), book.get(ANONYMOUS, event.anonymous_id)
    if who:
        for visitor in filter(None, (user, browser)):
            book.link(visitor, who.pk)
    elif user and browser:
        book.join(browser, user)


def _activity(event: Event) -> dict[str, object]:
    return {**(event.activity or {}), "event_id": event.event_id or uuid4().hex}


def _wait(event: Event, book: VisitorMap, found: SortedEvents, at: datetime) -> None:
    """Let an activity wait for whoever the visitor is. Raise InvalidItem."""
    kind, value = (USER, event.user_id) if event.user_id else (ANONYMOUS, event.anonymous_id)
    visitor = book.by_id[kind, value]
    item = validate_activity({"external_id": value, **_activity(event)}, at)
    found.waiting.append((visitor, item))
    found.written.setdefault(item.type, str((event.activity or {})["type"]))
    if visitor.contact_id:  # since a moment ago
        found.known.add(visitor.contact_id)


def _take_activities(
    items: Mapping[int, Mapping[str, object]], source: str, at: datetime
) -> list[Rejection]:
    places = list(items)
    taken = take_activities(list(items.values()), source, at)
    return [replace(one, index=places[one.index]) for one in taken.rejected]

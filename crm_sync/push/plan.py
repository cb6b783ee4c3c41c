"""What a push would send, shown for some real contacts before anything is sent: read, never written.

Built from the parts of the push itself, so that it cannot promise something else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from crm_sync.mapping import record_values
from crm_sync.mapping.contact_facts import load_contact_facts
from crm_sync.models import FieldMapping, Handoff, Link
from crm_sync.port import Crm, CrmContact, CrmError
from crm_sync.push.batch import Properties, PushBatch, build_push_write, changed_properties
from leadscoring.access_log import note_people
from leadscoring.models import Contact

SHOWN = 10
TOLD_BEFORE = "we have written this already, and write it again when it changes here"
WITH_A_HANDOFF = "it is written with a handoff alone"
GONE = "the CRM has no such record any more"


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One property of one record: its value, the value it would get, and why it is skipped, if so."""

    value: str
    property: str
    before: str
    after: str
    left_alone: str = ""


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """What one record would get. `problem`: why it gets nothing."""

    contact: Contact
    record_id: str
    changes: Sequence[PropertyChange] = ()
    problem: str = ""

    @property
    def writes(self) -> int:
        return sum(not change.left_alone for change in self.changes)


@dataclass(slots=True)
class PushPlan:
    """`linked`: contacts that the CRM knows; `cost`: what a push of all of them takes of its budget,
    in `unit`.

    `error`: why the records could not be read; then their values are unknown.
    """

    linked: int = 0
    cost: int = 0
    unit: str = "requests"
    people: list[PersonPlan] = field(default_factory=list)
    error: str = ""


def plan_push(crm: Crm, at: datetime) -> PushPlan:
    """Return what would be sent of those handed off last, or else with the highest scores."""
    linked = Link.objects.filter(gone_at=None, contact__score__isnull=False).count()
    cost = ceil(crm.capabilities.write_cost * ceil(linked / 100))
    found = PushPlan(linked, cost, crm.budget().unit)
    links = sample_people()
    if not links:
        return found
    mappings = list(FieldMapping.objects.filter(enabled=True).order_by("pk"))
    telling = PushBatch(crm, at, links, [each for each in mappings if pushed(each)])
    telling.known = load_contact_facts([link.pk for link in links], at)
    try:
        names = [each.property for each in mappings]
        records = crm.contacts_by_id([link.record_id for link in links], names)
    except CrmError as error:
        found.error = str(error)
        return found
    note_people(link.pk for link in links)
    found.people = [
        plan_person(telling, link, records.get(link.record_id), mappings) for link in links
    ]
    return found


def pushed(each: FieldMapping) -> bool:
    return each.sends() and each.source != FieldMapping.Source.CONSTANT


def sample_people() -> list[Link]:
    """Return ten contacts that the CRM knows: handed off last, then those with the highest scores."""
    there = Link.objects.filter(gone_at=None, contact__score__isnull=False)
    told = Handoff.objects.delivered().filter(contact__in=there.values("pk"))
    latest = told.order_by("-delivered_at").values_list("contact_id", flat=True)[: 5 * SHOWN]
    ids = list(dict.fromkeys(latest))[:SHOWN]
    recent = there.in_bulk(ids)
    others = there.exclude(pk__in=ids).order_by("-contact__score__total", "pk")
    return [*(recent[pk] for pk in ids), *others[: SHOWN - len(ids)]]


def plan_person(
    telling: PushBatch, link: Link, record: CrmContact | None, mappings: Sequence[FieldMapping]
) -> PersonPlan:
    contact = telling.known[link.pk].contact
    if record is None:
        return PersonPlan(contact, link.record_id, problem=GONE)
    news = changed_properties(telling, link)
    sent = build_push_write(telling, link, record, news).properties
    return PersonPlan(
        contact,
        record.record_id,
        tuple(property_changes(telling, link, record, mappings, news, sent)),
    )


def property_changes(
    telling: PushBatch,
    link: Link,
    record: CrmContact,
    mappings: Sequence[FieldMapping],
    news: Properties,
    sent: Any,
) -> Iterator[PropertyChange]:
    known, words = telling.known[link.pk], telling.crm.lifecycle_words
    for one in record_values.property_diffs(known, mappings, words, record, link.last_known):
        name = one.mapping.property
        why = "" if name in sent else one.left_alone or held_back_reason(one.mapping, name in news)
        value = one.mapping.get_source_display()
        yield PropertyChange(value, name, one.there, sent.get(name, one.there), why)


def held_back_reason(each: FieldMapping, is_news: bool) -> str:
    """Return why a push skips what the policy would let it write."""
    return WITH_A_HANDOFF if not pushed(each) or is_news else TOLD_BEFORE

"""The facts of a contact that are sent to the CRM, loaded for a batch in a fixed number of queries."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Max, Q

from leadscoring.intake.activities import NOT_THEIR_DOING
from leadscoring.models import Activity, Contact, Lifecycle, Score
from sequences.models import Delivery, Enrollment

RECENT = 50  # more than are shown: several of one kind and day become one line

# An index probe per contact, so that one with a hundred thousand activities costs no more.
ACTIVITIES = """
    SELECT done.* FROM unnest(%s::bigint[]) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT id, contact_id, type, occurred_at, properties FROM leadscoring_activity
        WHERE contact_id = asked.id AND occurred_at <= %s AND type <> ALL(%s)
        ORDER BY occurred_at DESC LIMIT %s
    ) AS done
"""


@dataclass(frozen=True, slots=True)
class SequenceRun:
    """A contact's run through a sequence: the part that is sent to the CRM."""

    sequence: str
    state: str
    reason: str
    sent: int
    last_sent_at: datetime | None


@dataclass(slots=True)
class ContactFacts:
    """What is known of one contact at an instant. `recent`: its activities, newest first."""

    contact: Contact
    score: Score | None
    at: datetime
    recent: list[Activity] = field(default_factory=list)
    runs: list[SequenceRun] = field(default_factory=list)

    @property
    def is_customer(self) -> bool:
        return self.contact.lifecycle_stage == Lifecycle.CUSTOMER


def load_contact_facts(contact_ids: Collection[int], at: datetime) -> dict[int, ContactFacts]:
    """Return the facts of contacts by their ids. Four queries, whatever their number."""
    contacts = Contact.objects.select_related("company", "crm_state").in_bulk(list(contact_ids))
    scores = Score.objects.in_bulk(list(contacts))
    found = {pk: ContactFacts(contact, scores.get(pk), at) for pk, contact in contacts.items()}
    for activity in Activity.objects.raw(
        ACTIVITIES, [list(found), at, sorted(NOT_THEIR_DOING), RECENT]
    ):
        found[activity.contact_id].recent.append(activity)
    for contact_id, run in load_sequence_runs(list(found)):
        found[contact_id].runs.append(run)
    return found


def load_sequence_runs(contact_ids: Collection[int]) -> list[tuple[int, SequenceRun]]:
    """Return contacts' present and past sequence runs with their mails sent, in the order of entry."""
    sent = Q(deliveries__state=Delivery.State.SENT)
    rows = (
        Enrollment.objects.filter(contact_id__in=contact_ids)
        .annotate(
            sent=Count("deliveries", filter=sent), last=Max("deliveries__sent_at", filter=sent)
        )
        .order_by("entered_at", "pk")
        .values_list("contact_id", "sequence__name", "state", "reason", "sent", "last")
    )
    return [(contact_id, SequenceRun(*told)) for contact_id, *told in rows]

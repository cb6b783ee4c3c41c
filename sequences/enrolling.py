"""Into a sequence, out of it, and the pauses between: each change with its reason and its cause."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from leadscoring.models import Contact
from sequences import gate
from sequences.models import (
    BY_A_HANDOFF,
    BY_A_SUPPRESSION,
    BY_THE_CRM,
    Enrollment,
    EnrollmentChange,
    EnrollmentQuerySet,
    Sequence,
    Step,
)
from sequences.models.enrollment import with_sales_since
from sequences.policy import Decision, Enrolled, Go, Hold, Pause, Resume, Stop

STORED = (
    "state", "reason", "by", "next_position", "next_at", "wait_left", "hold_reason", "changed_at"
)  # fmt: skip


# Causes whose pauses end when the cause does.
ENDS_BY_ITSELF = (BY_THE_CRM, BY_A_HANDOFF)


@dataclass(frozen=True, slots=True)
class NotEnrollable:
    """A contact that did not enter, and why."""

    contact: Contact
    reason: str


@dataclass(slots=True)
class EnrollResult:
    """Which contacts entered a sequence, and which did not."""

    entered: list[Enrollment] = field(default_factory=list)
    refused: list[NotEnrollable] = field(default_factory=list)


# --- in


def enroll_contacts(
    sequence: Sequence, contacts: Iterable[Contact], at: datetime, by: str, *, again: bool = True
) -> EnrollResult:
    """Enroll contacts in a sequence, from its first step. A fixed number of queries.

    A contact is in it once at a time. `again`: enroll those that were in it before too. Lock the
    contacts in id order, so that two calls at the same time wait for each other.
    """
    with transaction.atomic():
        people = list(
            Contact.objects.filter(pk__in=[contact.pk for contact in contacts])
            .select_related("crm_state")
            .order_by("pk")
            .select_for_update(of=("self",), no_key=True)
        )
        first = sequence.steps.first()
        reasons = _enrollment_obstacles(sequence, first, people, at, again)
        entry = EnrollResult(
            refused=[NotEnrollable(one, reasons[one.pk]) for one in people if one.pk in reasons]
        )
        if first:
            able = [person for person in people if person.pk not in reasons]
            with_sales = gate.handoff_times(able) if sequence.pause_when_with_sales else {}
            begun = [
                _first_enrollment(sequence, first, person, with_sales.get(person.pk), at, by)
                for person in able
            ]
            entry.entered = Enrollment.objects.bulk_create(begun)
            _log_changes(entry.entered)
    return entry


def _enrollment_obstacles(
    sequence: Sequence, first: Step | None, people: list[Contact], at: datetime, again: bool
) -> dict[int, str]:
    """Return contact id → why that contact cannot enter; those who can are left out."""
    if first is None or not sequence.active:
        off = "The sequence is archived" if sequence.archived_at else "The sequence is switched off"
        reason = off if first else "The sequence has no steps"
        return {person.pk: reason for person in people}
    been = dict(
        Enrollment.objects.filter(sequence=sequence, contact__in=people)
        .order_by("pk")
        .values_list("contact", "state")
    )
    suppressed = gate.suppression_reasons(people)
    reasons = {
        person.pk: _enrollment_obstacle(person, been.get(person.pk), suppressed, at, again)
        for person in people
    }
    return {pk: reason for pk, reason in reasons.items() if reason}


def _enrollment_obstacle(
    person: Contact, been: str | None, suppressed: dict[str, str], at: datetime, again: bool
) -> str:
    if not person.email:
        return "They have no e-mail address"
    if been in (Enrollment.State.ACTIVE, Enrollment.State.PAUSED):
        return "They are in this sequence already"
    if been and not again:
        return "They were in this sequence before"
    decision = gate.decide_for_contact(
        person, Enrolled(suppressed=suppressed.get(person.email, "")), None, at
    )
    return decision.reason if isinstance(decision, Stop) else ""


def _first_enrollment(
    sequence: Sequence,
    first: Step,
    person: Contact,
    with_sales: datetime | None,
    at: datetime,
    by: str,
) -> Enrollment:
    """Return an enrollment before its first step, paused at once when a deal or sales wants it so."""
    enrollment = Enrollment(
        contact=person, sequence=sequence, by=by, next_position=first.position,
        next_at=at + first.wait, entered_at=at, changed_at=at,
    )  # fmt: skip
    decision = gate.decide_for_contact(person, Enrolled(with_sales=with_sales), None, at)
    if isinstance(decision, Pause):
        apply_decision(enrollment, decision, at)
    return enrollment


# --- along and out


def pause_enrollments(enrollments: EnrollmentQuerySet, at: datetime, reason: str, by: str) -> int:
    """Pause active ones, and make a pause that ends by itself one of a person's; return how many."""
    with transaction.atomic():
        rows = list(enrollments.open().locked())
        chosen = [row for row in rows if row.is_active or row.by in ENDS_BY_ITSELF]
        for row in chosen:
            row.pause(at, reason, by)
        return store_enrollments(chosen)


def resume_enrollments(enrollments: EnrollmentQuerySet, at: datetime, by: str) -> int:
    """End pauses; the rest of the wait goes on. Return how many are active again.

    Where a deal or sales still wants a pause it becomes theirs, and ends when they allow.
    """
    with transaction.atomic():
        rows = list(enrollments.paused().with_what_the_gate_asks().locked())
        before = [(row.state, row.by) for row in rows]
        for row in rows:
            row.resume(at, by)
            apply_decision(row, gate.decide_for_enrollment(row, None, at), at)
        store_enrollments(
            [row for row, was in zip(rows, before, strict=True) if (row.state, row.by) != was]
        )
        return sum(row.is_active for row in rows)


def stop_enrollments(enrollments: EnrollmentQuerySet, at: datetime, reason: str, by: str) -> int:
    """End open ones for good; return how many."""
    with transaction.atomic():
        rows = list(enrollments.open().locked())
        for row in rows:
            row.stop(at, reason, by)
        return store_enrollments(rows)


def finish_enrollments(enrollments: EnrollmentQuerySet, at: datetime, reason: str, by: str) -> int:
    """Call open ones complete; return how many."""
    with transaction.atomic():
        rows = list(enrollments.open().locked())
        for row in rows:
            row.finish(at, reason, by)
        return store_enrollments(rows)


def apply_crm_state(enrollments: EnrollmentQuerySet, at: datetime) -> int:
    """Bring open ones in line with what the CRM and sales now want; return how many changed.

    Held ones are looked at again by the next scan.
    """
    with transaction.atomic():
        rows = list(enrollments.open().with_what_the_gate_asks().locked())
        enrollments.held().update(next_at=at)
        return store_enrollments(
            [
                row
                for row in rows
                if apply_decision(row, gate.decide_for_enrollment(row, None, at), at)
            ]
        )


def apply_sales_switch(sequence: Sequence, at: datetime) -> int:
    """Pause who is with sales, or let them go on, after the sequence's switch for that was changed."""
    rows = Enrollment.objects.filter(sequence=sequence)
    with_sales = rows.annotate(handed_over=with_sales_since("contact"))
    return apply_crm_state(
        with_sales.filter(handed_over__isnull=False)
        if sequence.pause_when_with_sales
        else rows.filter(by=BY_A_HANDOFF),
        at,
    )


def apply_decision(row: Enrollment, decision: Decision, at: datetime) -> bool:
    """Carry a decision out on a row in memory; return whether its state changed."""
    match decision:
        case Stop(reason):
            row.stop(at, reason, BY_A_SUPPRESSION if row.suppression_reason else BY_THE_CRM)
        case Pause(reason, by_a_handoff):
            row.pause(at, reason, BY_A_HANDOFF if by_a_handoff else BY_THE_CRM)
        case Resume():
            row.resume(at, row.by if row.by in ENDS_BY_ITSELF else BY_THE_CRM)
        case Go() | Hold():
            return False
    return True


# --- stored


def advance_enrollment(row: Enrollment, position: int, at: datetime, by: str) -> None:
    """Move a locked row on after a step; only the end of a sequence is a change to write down."""
    if row.go_past(position, at, by):
        store_enrollments([row])
    else:
        row.save(update_fields=["next_position", "next_at", "wait_left", "hold_reason"])


def store_enrollments(rows: list[Enrollment]) -> int:
    """Write changed rows, which the caller has locked, and what changed them. Two queries."""
    Enrollment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["pk"], update_fields=STORED
    )
    _log_changes(rows)
    return len(rows)


def _log_changes(rows: list[Enrollment]) -> None:
    EnrollmentChange.objects.bulk_create(
        EnrollmentChange(
            enrollment=row, at=row.changed_at, state=row.state, reason=row.reason, by=row.by
        )
        for row in rows
    )

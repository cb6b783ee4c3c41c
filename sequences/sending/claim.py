"""Claim a due step's mail for one worker, in a short transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction

from leadscoring.models import CrmFreshness
from sequences import enrolling, gate
from sequences.models import BY_THE_SENDER, LEASE, Delivery, Enrollment, Step
from sequences.policy import Go, Hold
from sequences.sending.compose import compose_mail

# A held step is looked at again after this; a change of the CRM state comes sooner by itself.
LOOK_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class MailClaim:
    """One mail, about to leave."""

    delivery: Delivery
    message: EmailMessage


def claim_next(at: datetime) -> MailClaim | Enrollment | None:
    """Claim the mail of the longest due step; return the enrollment alone when it may not leave now.

    Return None when no due step is free, or no mail at all may leave now. The latter postpones none:
    all are due again as soon as the CRM was read.
    """
    with transaction.atomic():
        longest_due = Enrollment.objects.due(at).order_by("next_at", "pk")
        locked = longest_due.select_for_update(of=("self",), skip_locked=True).first()
        if locked is None:
            return None
        as_of = CrmFreshness.oldest()
        if gate.closed_reason(as_of, at):
            return None
        # Read again, under the lock: changes of what the gate asks are committed by now.
        rows = Enrollment.objects.with_what_the_gate_asks()
        row = rows.select_related("contact__company", "contact__score").get(pk=locked.pk)
        decision = gate.decide_for_enrollment(row, as_of, at)
        if isinstance(decision, Go):
            return _claim_step(row, at) or row
        if isinstance(decision, Hold):
            row.hold(at + LOOK_AGAIN, decision.reason)
        elif enrolling.apply_decision(row, decision, at):
            enrolling.store_enrollments([row])
        return row


def _claim_step(row: Enrollment, at: datetime) -> MailClaim | None:
    """Claim the next step's mail of a locked enrollment that may go on; None when there is none."""
    step = row.step_after(row.next_position - 1)
    if step is None:
        row.finish(at, "The sequence has no further step", BY_THE_SENDER)
        enrolling.store_enrollments([row])
        return None
    delivery = row.deliveries.filter(position=step.position).first()
    if delivery is None:
        delivery = Delivery(
            enrollment=row, position=step.position, attempts=0, message_id=new_message_id()
        )
    elif delivery.state != Delivery.State.WAITING:
        _skip_existing_delivery(row, delivery, at)
        return None
    return _build_claim(row, step, delivery, at)


def _skip_existing_delivery(row: Enrollment, delivery: Delivery, at: datetime) -> None:
    """Go past a step that has a sent mail; hold or pause for any other."""
    if delivery.state == Delivery.State.CLAIMED:
        row.hold(delivery.claimed_at + LEASE, "The mail may be on its way")
    elif delivery.state == Delivery.State.SENT:
        enrolling.advance_enrollment(row, delivery.position, at, BY_THE_SENDER)
    else:
        row.pause(at, delivery.reason, BY_THE_SENDER)
        enrolling.store_enrollments([row])


def _build_claim(row: Enrollment, step: Step, delivery: Delivery, at: datetime) -> MailClaim | None:
    """Write the claim and lease the enrollment; pause it when the mail cannot be composed."""
    delivery.state, delivery.reason = Delivery.State.CLAIMED, ""
    delivery.attempts += 1
    delivery.claimed_at, delivery.email = at, row.contact.email or ""
    delivery.subject = step.subject
    delivery.save()
    try:
        message = compose_mail(step, row.contact, delivery)
    except ValueError as error:
        _record_unbuildable(row, delivery, str(error), at)
        return None
    delivery.subject = str(message.subject)
    delivery.save(update_fields=["subject"])
    row.hold(at + LEASE, "")
    return MailClaim(delivery, message)


def _record_unbuildable(row: Enrollment, delivery: Delivery, reason: str, at: datetime) -> None:
    delivery.state = Delivery.State.FAILED
    delivery.reason = f"The mail cannot be made: {reason}"[:500]
    delivery.save(update_fields=["state", "reason"])
    row.pause(at, delivery.reason, BY_THE_SENDER)
    enrolling.store_enrollments([row])


def new_message_id() -> str:
    return f"<{uuid4()}@{urlsplit(settings.BASE_URL).hostname}>"

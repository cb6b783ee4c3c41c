"""Record the outcome of a claimed mail, and what follows for the enrollment.

Lock in one order everywhere: contact, enrollment, delivery.
"""

import logging
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction

from sequences import enrolling
from sequences.models import BY_THE_SENDER, Delivery, Enrollment, Suppression
from sequences.sending.claim import MailClaim
from sequences.sending.transport import Outcome, OutcomeUnknown, Rejected, RetryLater, Sent
from sequences.suppression import suppress_addresses

# After the first, second, … time that the mail server puts a mail off; then a person decides.
BACKOFF = [timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 720, 1440)]
LEFT_BEHIND = "The process that was sending it ended before it could say whether the mail left"
RETRIES = 3
NOTHING = timedelta(0)

log = logging.getLogger(__name__)


class LostClaim(Exception):
    """The claim is not this worker's any more: it was marked unclear, or the contact was deleted."""


def record_outcome(claim: MailClaim, outcome: Outcome, at: datetime) -> None:
    """Record what became of a mail.

    Try again when the database was away or found a deadlock: else a person would have to decide about
    a mail whose outcome is known.
    """
    for tried in range(1, RETRIES + 1):
        try:
            with transaction.atomic():
                _write_outcome(claim.delivery, outcome, at)
            return
        except LostClaim:
            log.warning("Delivery %s was taken away before it was recorded.", claim.delivery.pk)
            return
        except OperationalError:
            if tried == RETRIES:
                raise
            connection.close()


def _write_outcome(delivery: Delivery, outcome: Outcome, at: datetime) -> None:
    match outcome:
        case Sent():
            row = _settle_delivery(delivery, Delivery.State.SENT, "", sent_at=at)
            enrolling.advance_enrollment(row, delivery.position, at, BY_THE_SENDER)
        case RetryLater(reason) if delivery.attempts <= len(BACKOFF):
            row = _settle_delivery(delivery, Delivery.State.WAITING, reason)
            if row.is_active:
                row.hold(at + BACKOFF[delivery.attempts - 1], reason)
        case Rejected(reason, bounced=True):
            suppress_addresses(
                [delivery.email], Suppression.Reason.BOUNCED, at, by=BY_THE_SENDER, detail=reason
            )
            _settle_delivery(delivery, Delivery.State.FAILED, reason)
        case RetryLater(reason) | Rejected(reason):
            _flag_for_person(_settle_delivery(delivery, Delivery.State.FAILED, reason), reason, at)
        case OutcomeUnknown(reason):
            _flag_for_person(_settle_delivery(delivery, Delivery.State.UNCLEAR, reason), reason, at)


def _settle_delivery(
    delivery: Delivery, state: Delivery.State, reason: str, sent_at: datetime | None = None
) -> Enrollment:
    """Give a claimed delivery its outcome; return its enrollment, locked. Raise LostClaim."""
    row = (
        Enrollment.objects.select_related("sequence")
        .filter(pk=delivery.enrollment_id)
        .locked()
        .first()
    )
    ours = Delivery.objects.filter(
        pk=delivery.pk, state=Delivery.State.CLAIMED, attempts=delivery.attempts
    )
    if row is None or not ours.update(state=state, reason=reason[:500], sent_at=sent_at):
        raise LostClaim
    return row


def _flag_for_person(row: Enrollment, reason: str, at: datetime) -> None:
    if row.is_open:
        row.pause(at, reason, BY_THE_SENDER)
        row.wait_left = NOTHING  # of the claim's lease
        enrolling.store_enrollments([row])


def release_claim(claim: MailClaim, reason: str, at: datetime) -> None:
    """Make a mail due again that did not leave through no fault of its own; do not count the attempt."""
    with transaction.atomic():
        row = _settle_delivery(claim.delivery, Delivery.State.WAITING, reason)
        Delivery.objects.filter(pk=claim.delivery.pk).update(attempts=claim.delivery.attempts - 1)
        if row.is_active:
            row.hold(at, reason)


def mark_abandoned_claims(at: datetime) -> int:
    """Mark claims of ended workers as unclear: the mails may have left, so a person decides."""
    with transaction.atomic():
        left_behind = Delivery.objects.left_behind(at)
        rows = list(Enrollment.objects.filter(deliveries__in=left_behind).locked())
        lost = Delivery.objects.left_behind(at).filter(enrollment__in=rows)
        count = lost.update(state=Delivery.State.UNCLEAR, reason=LEFT_BEHIND)
        open_rows = [row for row in rows if row.is_open]
        for row in open_rows:
            row.pause(at, LEFT_BEHIND, BY_THE_SENDER)
        enrolling.store_enrollments(open_rows)
    return count

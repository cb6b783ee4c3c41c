"""Send due steps: claim one, ask the gate inside the claim, send it outside, record its outcome.

A mail is claimed, and the claim committed, before it leaves. An old claim does not show whether its
mail left, so no program sends it again. One mail at a time: between the gate's answer and the mail
there is nothing but the mail itself. Only the activities of sent mails are stored for many at once:
one by one it would cost as much as all the rest of a mail.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from leadscoring.models import CrmFreshness
from leadscoring.operations import restore
from leadscoring.operations.failpoints import reach
from sequences import gate, mail_activities
from sequences.models import Enrollment, MailServerFault
from sequences.sending import record
from sequences.sending.claim import MailClaim, claim_next
from sequences.sending.transport import MailServerAway, MailTransport, Sent, open_transport

Clock = Callable[[], datetime]

LIMIT = 500
TOGETHER = 50  # mails whose activities are stored at once: a few seconds of sending
# Leads go through the same worker: a backlog of mails gives its place back soon.
LONGEST_SCAN = timedelta(seconds=3)


def send_due(clock: Clock, limit: int = LIMIT) -> int:
    """Send what is due, over one connection, for some seconds at most; return how many left.

    Touch nothing while the CRM was not read recently or a restore is not confirmed. Any number of
    workers may do this at once.
    """
    at = clock()
    record.mark_abandoned_claims(at)
    if restore.reason_to_hold() or gate.closed_reason(CrmFreshness.oldest(), at):
        return 0
    if not Enrollment.objects.due(at).exists():
        return 0
    try:
        with open_transport() as office:
            MailServerFault.objects.all().delete()
            return _send_batch(office, clock, limit)
    except MailServerAway as away:
        MailServerFault.objects.note(str(away), clock())
        return 0


def _send_batch(office: MailTransport, clock: Clock, limit: int) -> int:
    left, looked_at, until = 0, 0, clock() + LONGEST_SCAN
    fresh: list[int] = []
    try:
        while looked_at < limit and clock() < until:
            office.ready()
            taken = claim_next(clock())
            if taken is None:
                break
            looked_at += 1
            if isinstance(taken, MailClaim) and _deliver_claim(office, taken, clock):
                left += 1
                fresh.append(taken.delivery.pk)
            if len(fresh) == TOGETHER:
                mail_activities.store_sent(fresh, clock())
                fresh.clear()
    finally:
        if fresh:
            mail_activities.store_sent(fresh, clock())
    return left


def _deliver_claim(office: MailTransport, claim: MailClaim, clock: Clock) -> bool:
    """Send a claimed mail and record its outcome; return whether it left."""
    reach("mail claimed")
    try:
        outcome = office.send(claim.message)
    except MailServerAway as away:
        record.release_claim(claim, str(away), clock())
        raise
    reach("mail sent")
    record.record_outcome(claim, outcome, clock())
    reach("mail recorded")
    return isinstance(outcome, Sent)

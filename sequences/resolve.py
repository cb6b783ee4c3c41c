"""What a person decides about mails of which no program may: send again, or count as sent."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from sequences import enrolling, gate, mail_activities
from sequences.models import Delivery, DeliveryQuerySet, Enrollment


def send_again(deliveries: DeliveryQuerySet, at: datetime, by: str) -> int:
    """Let mails that failed, or may have left, leave again; return how many.

    Only where the enrollment waits for this decision. The gate is asked again before each.
    """
    with transaction.atomic():
        rows = _lock_waiting_enrollments(deliveries)
        deliveries.needing_a_person().filter(enrollment__in=rows).update(
            state=Delivery.State.WAITING, reason=f"To be sent again, says {by}", attempts=0
        )
        for row in rows:
            row.wait_left = timedelta(0)
            row.resume(at, by)
        return _resume_after_decision(rows, at)


def count_as_sent(deliveries: DeliveryQuerySet, at: datetime, by: str) -> int:
    """Go on as if mails that may have left had left when they were claimed; return how many."""
    with transaction.atomic():
        unclear = deliveries.unclear().needing_a_person()
        chosen = list(unclear.select_related("enrollment__sequence"))
        mail_activities.store_mail_activities(
            "email_sent", [(one, one.claimed_at) for one in chosen], at
        )
        rows = _lock_waiting_enrollments(unclear)
        # Several of one enrollment: on from the last of them.
        theirs = unclear.filter(enrollment__in=rows).order_by("position")
        positions = dict(theirs.values_list("enrollment", "position"))
        unclear.filter(enrollment__in=rows).update(
            state=Delivery.State.SENT,
            sent_at=F("claimed_at"),
            activity_stored=True,
            reason=f"Counted as sent, says {by}",
        )
        for row in rows:
            row.resume(at, by)
            row.go_past(positions[row.pk], at, by)
        return _resume_after_decision(rows, at)


def _lock_waiting_enrollments(deliveries: DeliveryQuerySet) -> list[Enrollment]:
    """Return the enrollments that wait for a decision about one of these, locked."""
    theirs = deliveries.needing_a_person().values("enrollment")  # may be several mails of one
    rows = Enrollment.objects.paused().filter(pk__in=theirs)
    return list(rows.with_what_the_gate_asks().prefetch_related("sequence__steps").locked())


def _resume_after_decision(rows: list[Enrollment], at: datetime) -> int:
    """Store resumed rows, as far as what is known of their people lets them go on."""
    for row in rows:
        if row.is_open:
            enrolling.apply_decision(row, gate.decide_for_enrollment(row, None, at), at)
    return enrolling.store_enrollments(rows)

"""Mails that an installation may have sent after the backup from which its database was restored.

Nothing here knows whether they left, so none is sent by itself: each becomes *perhaps sent* and a
person decides, for many at once, to count it as sent or to send it again.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from sequences import enrolling
from sequences.models import BY_THE_SENDER, Delivery, Enrollment, Step
from sequences.sending.claim import new_message_id

CHUNK = 500
MORE_THAN_WERE_SENT = 10_000_000
BECAUSE = (
    "The database was restored from a backup, and this mail may have left after that was taken"
)
# A row that says that a mail left, or that a person is to decide, stays.
SETTLED = (Delivery.State.SENT, Delivery.State.FAILED, Delivery.State.UNCLEAR)


def mark_perhaps_sent(until: datetime, at: datetime) -> int:
    """Mark the mails that may have left by `until`; return how many. Safe to repeat.

    Enrollments whose due mail may have left are paused until a person decides. A paused one stays
    as it is: the mark is met when it goes on.
    """
    marked = last = 0
    while ids := _candidates(until, after=last):
        with transaction.atomic():
            rows = Enrollment.objects.filter(pk__in=ids).select_related("contact", "sequence")
            locked = list(rows.prefetch_related("sequence__steps").locked())
            marked += mark(locked, until, at)
        last = ids[-1]
    return marked


def skip_used_ids() -> None:
    """Give no later mail an id that one of the lost installation may have had.

    The links in a mail name it by its id: one sent before the restore must not unsubscribe another contact.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(seq, nextval(seq) + %s) FROM pg_get_serial_sequence(%s, 'id') AS seq",
            [MORE_THAN_WERE_SENT, Delivery._meta.db_table],
        )


def _candidates(until: datetime, after: int) -> list[int]:
    """Return enrollments whose next step may have fallen due by then, in id order.

    A step that is held may have been let go at any time, a pause may have ended at once.
    """
    due = Q(state=Enrollment.State.ACTIVE) & (Q(next_at__lte=until) | ~Q(hold_reason=""))
    paused = Q(state=Enrollment.State.PAUSED, changed_at__lte=until) & ~Q(by=BY_THE_SENDER)
    rows = Enrollment.objects.filter(due | paused, pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:CHUNK])


def mark(rows: Iterable[Enrollment], until: datetime, at: datetime) -> int:
    there = {
        (mail.enrollment_id, mail.position): mail
        for mail in Delivery.objects.filter(enrollment__in=rows)
    }
    changed, paused = [], []
    for row in rows:
        mails = [
            unclear(there.get((row.pk, step.position)), row, step, due_at)
            for step, due_at in _perhaps_sent(row, until)
        ]
        fresh = [mail for mail in mails if mail is not None]
        changed += fresh
        if fresh and row.is_active:
            row.pause(at, BECAUSE, BY_THE_SENDER)
            row.wait_left = timedelta(0)
            paused.append(row)
    Delivery.objects.bulk_create(
        changed,
        update_conflicts=True,
        unique_fields=["enrollment", "position"],
        update_fields=["state", "reason"],
    )
    enrolling.store_enrollments(paused)
    return len(changed)


def _perhaps_sent(row: Enrollment, until: datetime) -> Iterator[tuple[Step, datetime]]:
    """Yield the steps that may have left by then, in order, and when each was due at the earliest."""
    due_at = _earliest(row)
    for step in row.sequence.steps.all():
        if step.position < row.next_position:
            continue
        if due_at > until:
            return
        yield step, due_at
        following = row.step_after(step.position)
        due_at += following.wait if following else timedelta(0)


def _earliest(row: Enrollment) -> datetime:
    if row.next_at is None:
        return row.changed_at + (row.wait_left or timedelta(0))
    return row.changed_at if row.hold_reason else row.next_at


def unclear(
    mail: Delivery | None, row: Enrollment, step: Step, due_at: datetime
) -> Delivery | None:
    """Return the mail of a step as one that may have left; None when it is settled already."""
    if mail is None:
        mail = Delivery(
            enrollment=row, position=step.position, email=row.contact.email or "",
            subject=step.subject, message_id=new_message_id(), claimed_at=due_at,
        )  # fmt: skip
    elif mail.state in SETTLED:
        return None
    mail.state, mail.reason = Delivery.State.UNCLEAR, BECAUSE
    return mail

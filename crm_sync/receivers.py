"""Signal receivers: a crossing becomes a row of the ledger, and a row wakes a worker."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, Value
from django.db.models.functions import Least, Now

from crm_sync import circuit_breaker, with_sales
from crm_sync.connect import connect
from crm_sync.models import Breaker, Deal, Handoff, Link, Push, UnrecordedTask
from crm_sync.tasks import deliver_handoffs
from leadscoring.common.turns import send_next_turn
from leadscoring.models import Contact, Score
from leadscoring.signals import Crossing

# Crockford's base 32: no letter that is mistaken for a digit. 60 random bits do not collide in practice.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12


def write_handoffs(sender: object, crossings: Sequence[Crossing], **kwargs: object) -> None:
    """Write handoffs on threshold_crossed, in the transaction of the scores that crossed.

    One by one: `bulk_create` would send no post_save, and that wakes the worker.
    """
    for crossing in crossings:
        withheld = Handoff.Status.WITHDRAWN if crossing.withheld else Handoff.Status.WAITING
        Handoff.objects.create(
            contact_id=crossing.contact_id,
            cycle=crossing.cycle,
            reference=new_reference(),
            total=crossing.total,
            grade=crossing.grade,
            reasons=crossing.reasons,
            crossed_at=crossing.at,
            # A web server's clock that is fast must not delay a lead.
            due_at=Least(Value(crossing.at), Now()),
            status=withheld,
            reason=crossing.withheld,
        )
    told = [crossing for crossing in crossings if not crossing.withheld]
    if told:
        with_sales.send_changes({one.contact_id for one in told}, max(one.at for one in told))


def new_reference() -> str:
    """Return "LS-7K3M9QX2V4TB". It finds a task again, so it must be unique across databases too."""
    return "LS-" + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def wake_on_commit(
    sender: object, instance: Handoff, created: bool, raw: bool = False, **kwargs: object
) -> None:
    """Schedule on post_save one wake-up for all rows of a transaction."""
    rung = any(wake_delivery in waiting for waiting in connection.run_on_commit)
    if created and not raw and instance.status == Handoff.Status.WAITING and not rung:
        transaction.on_commit(wake_delivery)


def wake_delivery() -> None:
    """Wake a worker for new rows. When that fails, the sweep finds them."""
    send_next_turn(deliver_handoffs.name)


def contact_handoffs(contact: Contact, at: datetime) -> list[dict[str, Any]]:
    """Return the handoffs in a contact's JSON, at most 100, the newest first."""
    rows = contact.handoffs.select_related("contact").order_by("-cycle")[:100]
    reason = circuit_breaker.breaker_reason(connect(), Breaker.Work.HANDOFFS, at)
    return [row.as_dict(reason) for row in rows]


def move_handoffs(
    sender: object, kept: Contact, gone: Contact, at: datetime, **kwargs: object
) -> None:
    """Move handoffs and the link to the kept contact on contacts_merged.

    Of two handoffs for the same crossing, one is withdrawn.
    """
    scores = Score.objects.in_bulk([kept.pk, gone.pk])
    theirs = Handoff.objects.filter(contact=gone)
    if not any(score.armed for score in scores.values()):
        withdraw_second_handoff(kept, gone, at)
    last = kept.handoffs.aggregate(last=Max("cycle"))["last"] or 0
    theirs.update(contact=kept, cycle=F("cycle") + max(last, scores[kept.pk].cycle))
    if not Link.objects.filter(contact=kept).exists():
        Push.objects.filter(link=gone.pk).delete()  # the kept contact is pushed again
        Link.objects.filter(contact=gone).update(contact=kept)
    with_sales.send_changes({kept.pk}, at)


def withdraw_second_handoff(kept: Contact, gone: Contact, at: datetime) -> None:
    """Withdraw one handoff when both contacts have crossed and not re-armed: one not with sales yet.

    One that a worker has leased, or that may have its task already, stays; then the other one goes.
    """
    ours, theirs = (person.handoffs.order_by("-cycle").first() for person in (kept, gone))
    if ours and theirs:
        for second, first in ((theirs, ours), (ours, theirs)):
            row = Handoff.objects.filter(pk=second.pk)
            reason = f"Is one person with contact {first.contact_id}, whom sales is told of."
            if first.status != Handoff.Status.WITHDRAWN and row.withdraw(reason, at):
                return


def delete_handoffs(sender: object, contact: Contact, at: datetime, **kwargs: object) -> None:
    """Delete a person's rows on contact_erased: the reasons of a handoff are personal data, and so is
    the name of a deal without another contact."""
    contact.handoffs.all().delete()
    theirs = Link.objects.filter(contact=contact).values("record_id")
    UnrecordedTask.objects.filter(record_id__in=theirs).delete()
    others = Deal.contacts.through._default_manager.exclude(contact=contact)
    Deal.objects.filter(~Exists(others.filter(deal=OuterRef("pk"))), contacts=contact).delete()


def handed_off() -> Exists:
    """Return the condition that a contact became ready for sales at some time."""
    return Exists(Handoff.objects.filter(contact=OuterRef("pk")))


def linked() -> Exists:
    """Return the condition that a contact has a record in the CRM."""
    return Exists(Link.objects.filter(contact=OuterRef("pk")))

"""Opt-outs made here hold for the CRM's mail too: it receives each address once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F

from crm_sync.account import check_account
from crm_sync.models import OptOut
from crm_sync.models.handoff import clean_reason
from crm_sync.port import Crm, CrmBusy, CrmDenied, CrmError, CrmPaced
from leadscoring.operations import restore

FIRST_BACKOFF, LONGEST_BACKOFF = timedelta(minutes=1), timedelta(days=1)
# After a shared failure, however long it lasts: the next turn probes.
SHARED_BACKOFF = timedelta(seconds=30)
# A person must change something in the account: one request an hour probes.
DENIED_BACKOFF = timedelta(hours=1)


def push_opt_outs(crm: Crm, at: datetime) -> int:
    """Push some opt-outs to the CRM; return how many addresses were sent.

    Each failure is kept with its cause and retried: an address's own with a growing delay, a
    shared one as soon as the CRM works. To send the same twice does no harm, so a worker may die
    anywhere.
    """
    if not crm.connected or restore.reason_to_hold():
        return 0
    OptOut.objects.queue(at)
    rows = OptOut.objects.claim(at)
    if not rows:
        return 0
    try:
        check_account(crm, at)
        said = crm.opt_out([row.email for row in rows])
    except CrmError as error:
        release_opt_outs(rows, error, at)
        return 0
    settle_opt_out(
        rows, [said.get(row.email, CrmError("The CRM did not answer.")) for row in rows], at
    )
    OptOut.objects.bulk_update(rows, ["told_at", "due_at", "reason", "tries", "waits_for_crm"])
    if any(row.told_at for row in rows):
        OptOut.objects.bring_forward(at)
    return len(rows)


def settle_opt_out(rows: Sequence[OptOut], said: Sequence[CrmError | None], at: datetime) -> None:
    """Record the results. After a shared error the rest is not sent: only the first counts as a row's own."""
    in_trouble = False
    for row, error in zip(rows, said, strict=True):
        if error is None:
            row.told_at, row.reason = at, ""
        elif in_trouble and isinstance(error, CrmBusy | CrmDenied):
            row.due_at, row.reason = at + SHARED_BACKOFF, clean_reason(str(error))
            row.tries, row.waits_for_crm = row.tries - 1, True
        else:
            row.due_at, row.reason = at + opt_out_backoff(row.tries), clean_reason(str(error))
            in_trouble = isinstance(error, CrmBusy | CrmDenied)


def release_opt_outs(rows: list[OptOut], error: CrmError, at: datetime) -> None:
    """Put all back unsent. What the account does not allow at all is retried by one request an hour."""
    waiting = OptOut.objects.waiting()
    if isinstance(error, CrmDenied):
        waiting.update(
            due_at=at + DENIED_BACKOFF, reason=clean_reason(str(error)), waits_for_crm=True
        )
        return
    mine = waiting.filter(pk__in=[row.pk for row in rows])
    if isinstance(error, CrmPaced):
        mine.update(due_at=at)
        return
    mine.update(
        due_at=at + SHARED_BACKOFF,
        reason=clean_reason(str(error)),
        tries=F("tries") - 1,
        waits_for_crm=True,
    )


def opt_out_backoff(tries: int) -> timedelta:
    doubled: int = 2 ** min(tries, 12)
    return min(FIRST_BACKOFF * doubled, LONGEST_BACKOFF)

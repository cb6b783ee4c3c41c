"""Who wants no mail from here is to get none from the CRM either: it is told, each address once."""

from datetime import datetime, timedelta

from crm_sync.account import check_account
from crm_sync.models import OptOut
from crm_sync.models.handoff import clean_reason
from crm_sync.port import Crm, CrmDenied, CrmError, CrmPaced

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(days=1)
# A person has to change something in the account: one request an hour finds out.
DENIED_WAIT = timedelta(hours=1)


def push_opt_outs(crm: Crm, at: datetime) -> int:
    """Tell the CRM of some people who want no mail; answers how many were asked for.

    Each failure is kept with its cause and tried again, later each time. Asking for the same twice
    does no harm, so a worker may die anywhere.
    """
    if not crm.connected:
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
    for row in rows:
        settle_opt_out(row, said.get(row.email, CrmError("The CRM did not answer.")), at)
    OptOut.objects.bulk_update(rows, ["told_at", "due_at", "reason"])
    return len(rows)


def settle_opt_out(row: OptOut, error: CrmError | None, at: datetime) -> None:
    if error is None:
        row.told_at, row.reason = at, ""
    else:
        row.due_at, row.reason = at + opt_out_backoff(row.tries), clean_reason(str(error))


def release_opt_outs(rows: list[OptOut], error: CrmError, at: datetime) -> None:
    """None was told. What the account does not allow at all is asked for again by one request an hour."""
    held = OptOut.objects.waiting()
    if isinstance(error, CrmDenied):
        held.update(due_at=at + DENIED_WAIT, reason=clean_reason(str(error)))
        return
    mine = held.filter(pk__in=[row.pk for row in rows])
    if isinstance(error, CrmPaced):
        mine.update(due_at=at)
        return
    mine.update(
        due_at=at + opt_out_backoff(max(row.tries for row in rows)),
        reason=clean_reason(str(error)),
    )


def opt_out_backoff(tries: int) -> timedelta:
    doubled: int = 2 ** min(tries, 12)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)

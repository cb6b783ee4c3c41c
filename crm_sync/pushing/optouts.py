"""Who wants no mail from here is to get none from the CRM either: it is told, each address once."""

from datetime import datetime, timedelta

from crm_sync.account import account_of
from crm_sync.models import OptOut
from crm_sync.models.ledger import cause
from crm_sync.port import Crm, CrmDenied, CrmError, CrmPaced

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(days=1)
# A person has to change something in the account: one request an hour finds out.
DENIED_WAIT = timedelta(hours=1)


def tell_opt_outs(crm: Crm, at: datetime) -> int:
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
        account_of(crm, at)
        said = crm.opt_out([row.email for row in rows])
    except CrmError as error:
        put_back(rows, error, at)
        return 0
    for row in rows:
        settle(row, said.get(row.email, CrmError("The CRM did not answer.")), at)
    OptOut.objects.bulk_update(rows, ["told_at", "due_at", "because"])
    return len(rows)


def settle(row: OptOut, error: CrmError | None, at: datetime) -> None:
    if error is None:
        row.told_at, row.because = at, ""
    else:
        row.due_at, row.because = at + wait(row.tries), cause(str(error))


def put_back(rows: list[OptOut], error: CrmError, at: datetime) -> None:
    """None was told. What the account does not allow at all is asked for again by one request an hour."""
    held = OptOut.objects.waiting()
    if isinstance(error, CrmDenied):
        held.update(due_at=at + DENIED_WAIT, because=cause(str(error)))
        return
    mine = held.filter(pk__in=[row.pk for row in rows])
    if isinstance(error, CrmPaced):
        mine.update(due_at=at)
        return
    mine.update(due_at=at + wait(max(row.tries for row in rows)), because=cause(str(error)))


def wait(tries: int) -> timedelta:
    doubled: int = 2 ** min(tries, 12)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)

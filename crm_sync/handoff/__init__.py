"""Due handoffs on their way to sales: contact → owner → task, each step recorded before the next."""

from datetime import datetime

from crm_sync.account import account_of, ask_account
from crm_sync.handoff.assigning import find_owners
from crm_sync.handoff.batch import FAULT, Batch
from crm_sync.handoff.giving import look_for_tasks, make_tasks
from crm_sync.handoff.records import read_records, save_records
from crm_sync.handoff.weighing import weigh
from crm_sync.holding import Gate, gate, lift, strike
from crm_sync.models import Handoff, Hold
from crm_sync.port import Crm, CrmBusy, CrmDenied, CrmError, CrmPaced
from leadscoring.pausepoints import reach

STEPS = (weigh, read_records, look_for_tasks, save_records, find_owners, make_tasks)
HANDOFFS = Hold.Work.HANDOFFS
# More than so many at once are a backlog: single leads go before them.
FEW = 10


def deliver_due(crm: Crm, at: datetime) -> int:
    """Claim due handoffs and take them as far as they go; answers how many were claimed.

    Whatever stops it, each row says how far it came and why no further. Only faults of this
    program are raised, after they were written down.
    """
    door = gate(crm, HANDOFFS, at)
    if door is Gate.SHUT:
        return 0
    trying = door is Gate.TRYING
    rows = Handoff.objects.claim(at=at, limit=1 if trying else 100)
    if rows or trying:
        reach("handoff.claimed")
        batch = Batch(crm.in_lane("live" if len(rows) <= FEW else "backlog"), at, rows)
        try:
            if trying:
                ask_account(batch.crm, at)
            deliver(batch)
        except CrmPaced as paced:
            batch.put_back(str(paced), paced.retry_after)
        except CrmError as error:
            stop(batch, error)
        except Exception as fault:
            batch.postpone_all(FAULT.format(name=type(fault).__name__))
            raise
        else:
            lift(crm, HANDOFFS)
    return len(rows)


def deliver(batch: Batch) -> None:
    if not batch.rows:
        return
    batch.account = account_of(batch.crm, batch.at)
    for step in STEPS:
        step(batch)
        batch.record()
        if not batch.rows:
            return


def stop(batch: Batch, error: CrmError) -> None:
    """Something went wrong for all: their own fault perhaps, unless the CRM means everybody."""
    if isinstance(error, CrmDenied) or (isinstance(error, CrmBusy) and error.shared):
        batch.put_back(str(error))
    else:
        batch.postpone_all(str(error), error.retry_after if isinstance(error, CrmBusy) else 0.0)
    strike(batch.crm, HANDOFFS, error, batch.now())

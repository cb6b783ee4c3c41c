"""Due handoffs on their way to sales: contact → owner → task, each step recorded before the next."""

from datetime import datetime

from crm_sync.account import account_of
from crm_sync.batch import DENIED_WAIT, FAULT, Batch
from crm_sync.giving import find_owners, look_for_tasks, make_tasks
from crm_sync.models import Handoff
from crm_sync.port import Crm, CrmBusy, CrmDenied, CrmError
from crm_sync.records import read_records, save_records
from crm_sync.weighing import weigh

STEPS = (weigh, read_records, look_for_tasks, save_records, find_owners, make_tasks)


def deliver_due(crm: Crm, at: datetime) -> int:
    """Claim the hottest due handoffs and take them as far as they go; answers how many were claimed.

    Whatever stops it, each row says how far it came and why no further. Only faults of this
    program are raised, after they were written down.
    """
    rows = Handoff.objects.claim(at=at)
    if rows:
        batch = Batch(crm, at, rows)
        try:
            deliver(batch)
        except CrmBusy as busy:
            batch.postpone_all(str(busy), busy.retry_after, excused=True)
        except CrmDenied as denied:
            batch.postpone_all(str(denied), DENIED_WAIT, excused=True)
        except CrmError as error:
            batch.postpone_all(str(error), excused=False)
        except Exception as fault:
            batch.postpone_all(FAULT.format(name=type(fault).__name__), excused=False)
            raise
    return len(rows)


def deliver(batch: Batch) -> None:
    batch.account = account_of(batch.crm, batch.at)
    for step in STEPS:
        step(batch)
        batch.record()
        if not batch.rows:
            return

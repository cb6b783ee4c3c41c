"""The ledger against the CRM, both ways: what does not agree is repaired where that is safe, and told."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from crm_sync.account import ask_account
from crm_sync.alone import alone
from crm_sync.crossings import tell_again, without_row
from crm_sync.handoff.batch import FAULT
from crm_sync.models import Handoff, Report, reports
from crm_sync.port import Crm, CrmBusy, CrmError
from crm_sync.reconcile.astray import mend_astray
from crm_sync.reconcile.comparison import Comparison, Finding
from crm_sync.reconcile.doubles import ADOPTED, settle
from crm_sync.reconcile.mending import Mender, cut
from crm_sync.reconcile.missing import look_for_missing
from crm_sync.reconcile.surveying import Survey, survey

Watch = Callable[[Iterator[int]], Iterable[int]]

# Any number that nobody else in this database locks.
LOCK = 0x1EAD_C0DE
ANOTHER = "Another comparison runs at this moment."
# The list is read from its beginning again when the CRM had no room for us in between.
TRIES, LONGEST_NAP = 5, 30.0


def reconcile(crm: Crm, at: datetime, *, plan: bool = False, watch: Watch = iter) -> Comparison:
    """Compare, and without `plan` repair. What keeps the CRM from being read is in `error`.

    `watch` sees the number of tasks of each step go by. May be interrupted, and be run again.
    """
    found = Comparison(plan)
    with alone(LOCK) as mine:
        if not mine:
            found.error = ANOTHER
            found.rows = Handoff.objects.by_status()
            return found
        try:
            compare(crm.in_lane("polling"), at, found, watch)
        except Exception as fault:
            found.error = FAULT.format(name=type(fault).__name__)
            raise
        finally:
            found.rows = Handoff.objects.by_status()
            if not plan:
                keep(found, at)
    return found


def compare(crm: Crm, at: datetime, found: Comparison, watch: Watch) -> None:
    try:
        tell_crossings(found)
        mender = Mender(crm, ask_account(crm, at), at, found.plan)
        seen = read_tasks(crm, watch)
        found.found = seen.found
        adopt(mender, seen, found)
        settle(mender, seen, found)
        look_for_missing(mender, seen, found)
        mend_astray(mender, seen, found)
    except CrmError as error:
        found.error = str(error)


def keep(found: Comparison, at: datetime) -> None:
    repaired = sum(found.repaired.values())
    reports.keep(
        Report.Kind.COMPARISON,
        at,
        found.as_dict(),
        wrong=len(found.wrong),
        repaired=repaired,
        error=found.error,
    )


def tell_crossings(found: Comparison) -> None:
    """Whoever crossed has a row. This needs no CRM, so it comes first."""
    ids = list(without_row().values_list("contact_id", flat=True))
    because = "Crossed the threshold and has no row in the ledger."
    told = [Finding(because, "Run handoff_reconcile.", contact=pk) for pk in ids]
    found.missing += told
    if not found.plan:
        written = {pk for some in tell_again(ids) for pk in some}
        for each in told:
            each.repaired = "written into the ledger" if each.contact in written else ""


def read_tasks(crm: Crm, watch: Watch) -> Survey:
    for _ in range(TRIES - 1):
        try:
            return read_once(crm, watch)
        except CrmBusy as busy:
            time.sleep(min(busy.retry_after, LONGEST_NAP))
    return read_once(crm, watch)


def read_once(crm: Crm, watch: Watch) -> Survey:
    seen = Survey()
    for _ in watch(survey(crm, seen)):
        pass
    return seen


def adopt(mender: Mender, seen: Survey, found: Comparison) -> None:
    """Tasks of which the ledger did not know that they had been made."""
    adopted = mender.adopt(seen.finds)
    for row in rows_of(sorted(adopted)):
        found.unnoticed.append(
            Finding(
                "The ledger did not know that this task had been made.",
                "Run handoff_reconcile.",
                reference=row.reference,
                task_id=seen.finds[row.pk].task_id,
                contact=row.contact_id,
                repaired="" if mender.plan else ADOPTED,
            )
        )
    # What a worker has in hand at this moment is the worker's to finish.
    seen.astray = [each for each in seen.astray if each.row_id in seen.seen | adopted]


def rows_of(row_ids: Sequence[int]) -> Iterator[Handoff]:
    for ids in cut(row_ids):
        yield from Handoff.objects.filter(pk__in=ids).defer("reasons", "left_out").order_by("pk")

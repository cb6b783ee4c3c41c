"""The ledger against the CRM, both ways: what does not agree is repaired where that is safe, and told."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from crm_sync.account import read_account
from crm_sync.handoff.backfill import replay_missing, scores_without_handoff
from crm_sync.handoff.batch import FAULT
from crm_sync.models import Handoff, Report, reports
from crm_sync.port import Crm, CrmBusy, CrmError
from crm_sync.reconcile.comparison import Comparison, Discrepancy
from crm_sync.reconcile.duplicates import ADOPTED, settle_duplicates
from crm_sync.reconcile.missing_tasks import look_for_missing
from crm_sync.reconcile.orphaned_tasks import repair_orphaned
from crm_sync.reconcile.repairs import Repairs, chunked
from crm_sync.reconcile.survey import Survey, survey_tasks
from leadscoring.common.advisory_lock import advisory_lock
from leadscoring.operations import restore

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
    if not plan and (held := restore.reason_to_hold()):
        found.error, found.rows = held, Handoff.objects.by_status()
        return found
    with advisory_lock(LOCK) as mine:
        if not mine:
            found.error = ANOTHER
            found.rows = Handoff.objects.by_status()
            return found
        try:
            run_comparison(crm.with_priority("polling"), at, found, watch)
        except Exception as fault:
            found.error = FAULT.format(name=type(fault).__name__)
            raise
        finally:
            found.rows = Handoff.objects.by_status()
            if not plan:
                store_comparison(found, at)
    return found


def run_comparison(crm: Crm, at: datetime, found: Comparison, watch: Watch) -> None:
    try:
        replay_crossings(found)
        mender = Repairs(crm, read_account(crm, at), at, found.plan)
        seen = read_all_tasks(crm, watch)
        found.found = seen.found
        adopt_unnoticed(mender, seen, found)
        settle_duplicates(mender, seen, found)
        look_for_missing(mender, seen, found)
        repair_orphaned(mender, seen, found)
    except CrmError as error:
        found.error = str(error)


def store_comparison(found: Comparison, at: datetime) -> None:
    repaired = sum(found.repaired.values())
    reports.store_report(
        Report.Kind.COMPARISON,
        at,
        found.as_dict(),
        wrong=len(found.wrong),
        repaired=repaired,
        error=found.error,
    )


def replay_crossings(found: Comparison) -> None:
    """Whoever crossed has a row. This needs no CRM, so it comes first."""
    ids = list(scores_without_handoff().values_list("contact_id", flat=True))
    reason = "Crossed the threshold and has no row in the ledger."
    told = [Discrepancy(reason, "Run handoff_reconcile.", contact=pk) for pk in ids]
    found.missing += told
    if not found.plan:
        last_written = {pk for some in replay_missing(ids) for pk in some}
        for each in told:
            each.repaired = "written into the ledger" if each.contact in last_written else ""


def read_all_tasks(crm: Crm, watch: Watch) -> Survey:
    for _ in range(TRIES - 1):
        try:
            return survey_once(crm, watch)
        except CrmBusy as busy:
            time.sleep(min(busy.retry_after, LONGEST_NAP))
    return survey_once(crm, watch)


def survey_once(crm: Crm, watch: Watch) -> Survey:
    seen = Survey()
    for _ in watch(survey_tasks(crm, seen)):
        pass
    return seen


def adopt_unnoticed(mender: Repairs, seen: Survey, found: Comparison) -> None:
    """Tasks of which the ledger did not know that they had been made."""
    adopted = mender.adopt(seen.finds)
    for row in load_rows(sorted(adopted)):
        found.unnoticed.append(
            Discrepancy(
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


def load_rows(row_ids: Sequence[int]) -> Iterator[Handoff]:
    for ids in chunked(row_ids):
        yield from Handoff.objects.filter(pk__in=ids).defer("reasons", "left_out").order_by("pk")

"""What sales did in the CRM comes back: one turn of searching for changes and re-reading contacts.

Each part stores its progress, so a turn may end anywhere: the next one resumes there. The instant
up to which all is known is stored part by part (`freshness`), never before it is applied.
"""

import time
from datetime import datetime, timedelta

from django.db import transaction

from crm_sync.account import check_account
from crm_sync.budget_shares import DEFINITIONS, shortest_interval
from crm_sync.circuit_breaker import record_failure, reset
from crm_sync.deals.mirror import mirror_owners, mirror_stages
from crm_sync.models import Breaker, PullReport, Round
from crm_sync.port import Crm, CrmError, CrmPaced
from crm_sync.pull import cursors, freshness, sweep
from crm_sync.pull.apply import apply_snapshot
from crm_sync.pull.fetch import fetch_snapshot, people_of_interest
from crm_sync.pull.run import CHUNK, PullRun, Watch
from leadscoring.common.advisory_lock import PULLS, advisory_lock
from leadscoring.common.text import storable_text

__all__ = [
    "CHUNK",
    "PULLS",
    "advisory_lock",
    "apply_snapshot",
    "fetch_snapshot",
    "people_of_interest",
    "pull_changes",
]

# How often pipelines, stages and reps are read where the budget allows; a stage not known yet is read when it is met.
DEFINITIONS_EVERY = timedelta(minutes=5)
FAULT = "A fault in this program ({name}): the worker's log says where."


def pull_changes(
    crm: Crm,
    at: datetime,
    watch: Watch = iter,
    *,
    full: bool = False,
    definitions: bool = False,
    seconds: float = float("inf"),
) -> PullReport | None:
    """Run one turn: apply what was changed in the CRM, and re-read some contacts.

    `full`: all of them. `definitions`: also pipelines, stages and reps that were read lately.
    `seconds`: the time limit; until then a refused read is asked again. `watch` receives the number of contacts of each
    part of the sweep. Return the result, with the cause in `error` when it failed; None when
    another pull runs.
    """
    with advisory_lock(PULLS) as mine:
        if not mine:
            return None
        read_at = None if full or definitions else definitions_read_at()
        report = PullReport(started_at=at, definitions_at=read_at)
        crm = crm.with_priority("polling", time.monotonic() + seconds)
        try:
            visit = PullRun(crm, check_account(crm, at), at, report, seconds, watch)
            run_steps_of_pull(visit, full=full)
            reset(crm, Breaker.Work.PULL, at)
        except CrmPaced as paced:
            report.error = str(paced)
        except CrmError as error:
            report.error = storable_text(str(error), 1000)
            record_failure(crm, Breaker.Work.PULL, error, at)
        except Exception as fault:
            report.error = FAULT.format(name=type(fault).__name__)
            raise
        finally:
            store_pull_report(report)
        return report


def run_steps_of_pull(visit: PullRun, *, full: bool) -> None:
    if full:
        Round.objects.filter(pk=Round.Kind.RECORDS).update(began_at=None)
    refresh_definitions(visit)
    freshness.search_freshness(cursors.follow_changes(visit, "contacts", "deals"))
    if freshness.full_round_started_at():  # else the sweep of records first reads everybody
        sweep.refresh_never_seen(visit)
        sweep.refresh_missing(visit)
        sweep.refresh_due_for_mail(visit)
        sweep.sweep_associations(visit)
    for _ in visit.watch(sweep.sweep_records(visit, all_at_once=full)):
        pass
    freshness.sweep_freshness()


def refresh_definitions(visit: PullRun) -> None:
    """Read the account's pipelines, stages and reps, if the last read is too old."""
    read_at = visit.report.definitions_at
    cost = visit.crm.capabilities.definitions_cost
    interval = shortest_interval(visit.crm, cost, DEFINITIONS, DEFINITIONS_EVERY)
    if read_at and read_at <= visit.at < read_at + interval:
        return
    stages, owners = visit.crm.stages(), visit.crm.owners()
    with transaction.atomic():
        mirror_stages(stages)
        mirror_owners(owners, visit.at)
    visit.report.definitions_at = visit.at


def definitions_read_at() -> datetime | None:
    return PullReport.objects.values_list("definitions_at", flat=True).first()


def store_pull_report(report: PullReport) -> None:
    PullReport.objects.bulk_create(
        [report],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[
            "started_at",
            "finished_at",
            "contacts",
            "deals",
            "definitions_at",
            "error",
        ],
    )

"""What sales did in the CRM comes back: one turn of looking for changes, and of looking at people again.

Each part writes down how far it came, so a turn may end anywhere: the next one goes on there. How far
all is known is written down part by part (`freshness`), never before it is applied.
"""

import time
from datetime import datetime, timedelta

from django.db import transaction

from crm_sync.account import account_of
from crm_sync.alone import PULLS as LOCK
from crm_sync.alone import alone
from crm_sync.holding import lift, strike
from crm_sync.models import Hold, PullReport, Round
from crm_sync.port import Crm, CrmError, CrmPaced
from crm_sync.pull import cursors, freshness, sweeping
from crm_sync.pull.applying import apply
from crm_sync.pull.mirroring import mirror_owners, mirror_stages
from crm_sync.pull.reading import look, people
from crm_sync.pull.visit import CHUNK, Visit, Watch

__all__ = ["CHUNK", "LOCK", "alone", "apply", "look", "people", "pull"]

# Pipelines, stages and reps are read so often; a stage that nobody knows yet is read when it is met.
DEFINITIONS_EVERY = timedelta(minutes=5)
LONGEST_NAP = 5.0
FAULT = "A fault in this program ({name}): the worker's log says where."


def pull(
    crm: Crm,
    at: datetime,
    watch: Watch = iter,
    *,
    full: bool = False,
    seconds: float = float("inf"),
) -> PullReport | None:
    """One turn: apply what was changed in the CRM, and look at some people again.

    `full`: at everybody. `seconds`: how long it may last. `watch` sees the number of contacts of each
    part of the sweep go by. Answers how it went, with the cause in `error` when it failed; None when
    another pull runs.
    """
    with alone(LOCK) as mine:
        if not mine:
            return None
        report = PullReport(started_at=at, definitions_at=last_definitions(full=full))
        crm = crm.in_lane("polling")
        try:
            visit = Visit(crm, account_of(crm, at), at, report, seconds, watch)
            take_turn(visit, full=full)
            lift(crm, Hold.Work.PULL)
        except CrmPaced as paced:
            report.error = str(paced)
        except CrmError as error:
            report.error = str(error)[:1000]
            strike(crm, Hold.Work.PULL, error, at)
        except Exception as fault:
            report.error = FAULT.format(name=type(fault).__name__)
            raise
        finally:
            store(report)
        return report


def take_turn(visit: Visit, *, full: bool) -> None:
    """When our share of the requests is used up, wait for it, as long as there is time."""
    if full:
        Round.objects.filter(pk=Round.Kind.RECORDS).update(began_at=None)
    while True:
        try:
            return turn(visit, full=full)
        except CrmPaced as paced:
            time.sleep(min(paced.retry_after, LONGEST_NAP))
            if visit.is_over():
                raise


def turn(visit: Visit, *, full: bool) -> None:
    definitions(visit)
    freshness.of_searches(cursors.follow(visit, "contacts", "deals"))
    if freshness.everybody_since():  # else the sweep of records begins with everybody
        sweeping.first_looks(visit)
        sweeping.about_to_be_mailed(visit)
        sweeping.associations(visit)
    for _ in visit.watch(sweeping.records(visit, all_at_once=full)):
        pass
    freshness.of_sweeps()


def definitions(visit: Visit) -> None:
    """The account's pipelines, stages and reps, now and then."""
    read_at = visit.report.definitions_at
    if read_at and read_at <= visit.at < read_at + DEFINITIONS_EVERY:
        return
    stages, owners = visit.crm.stages(), visit.crm.owners()
    with transaction.atomic():
        mirror_stages(stages)
        mirror_owners(owners, visit.at)
    visit.report.definitions_at = visit.at


def last_definitions(*, full: bool) -> datetime | None:
    return None if full else PullReport.objects.values_list("definitions_at", flat=True).first()


def store(report: PullReport) -> None:
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

"""Drift of our copy of the CRM: a sample of contacts is read and compared with what is stored.

The share that differed, and how old the difference can be, is the figure by which the pull is
judged. Differences are corrected on the way.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from crm_sync.account import check_account
from crm_sync.circuit_breaker import is_tripped, record_failure
from crm_sync.models import Breaker, Deal, Drift, Link
from crm_sync.port import Crm, CrmContact, CrmDeal, CrmError, CrmPaced
from crm_sync.pull.apply import apply_snapshot
from crm_sync.pull.fetch import Snapshot, fetch_snapshot
from crm_sync.pull.run import CHUNK
from leadscoring.common.batching import batched
from leadscoring.common.clock import AnchoredClock
from leadscoring.models import CRM_ID_LENGTH, CrmState

SAMPLE = 500
DAILY = timedelta(days=1)
Facts = Mapping[str, object]


def is_drift_due(at: datetime) -> bool:
    return not Drift.objects.filter(at__gt=at - DAILY).exists()


def measure_daily(crm: Crm, at: datetime) -> Drift | None:
    """Measure once a day, while no breaker is open; the pull reports errors of the CRM."""
    if not is_drift_due(at) or not Link.objects.exists() or is_tripped(crm, Breaker.Work.PULL):
        return None
    try:
        return measure_drift_sample(crm.with_priority("polling"), at)
    except CrmPaced:
        return None
    except CrmError as error:
        record_failure(crm, Breaker.Work.PULL, error, at)
        return None


def measure_drift_sample(crm: Crm, at: datetime, size: int | None = SAMPLE) -> Drift:
    """Compare a random sample of links (`size` None: all) with the CRM. Raise the CRM's errors."""
    links = Link.objects.filter(gone_at=None)
    chosen = links.order_by("?")[:size] if size else links.order_by("pk")
    ids = list(chosen.values_list("pk", flat=True))
    account, clock = check_account(crm, at), AnchoredClock(at)
    drift = Drift(at=at, looked=len(ids), differed=0, everybody=size is None)
    fields: Counter[str] = Counter()
    for some in batched(ids, CHUNK):
        now = clock.now()
        stored, seen = facts_stored(some), dict(seen_instants(some))
        found = fetch_snapshot(crm, some)
        for pk, different in find_differences(stored, found).items():
            drift.differed += 1
            drift.oldest_seconds = max(drift.oldest_seconds, seen_age(seen.get(pk), now))
            fields.update(different)
        apply_snapshot(crm, account, found, now)
    drift.fields = dict(fields)
    drift.save()
    return drift


def find_differences(stored: Mapping[int, Facts], found: Snapshot) -> dict[int, list[str]]:
    """Return the names of fields that differ, by contact; contacts without differences are left out."""
    there = {pk: facts_in_crm(found, pk) for pk in found.ids}
    different = {
        pk: [name for name, value in here.items() if there[pk].get(name) != value]
        for pk, here in stored.items()
        if pk in there
    }
    return {pk: names for pk, names in different.items() if names}


def facts_stored(ids: Collection[int]) -> dict[int, Facts]:
    """Return what is stored of contacts, in two queries."""
    deals: dict[int, set[tuple[object, ...]]] = {pk: set() for pk in ids}
    tied = Deal.contacts.through.objects.filter(contact_id__in=ids)
    names = ("deal_id", "pipeline_id", "stage_id", "owner_id", "closed", "won")
    for pk, *deal in tied.values_list("contact_id", *(f"deal__{name}" for name in names)):
        deals[pk].add(tuple(deal))
    return {
        link.pk: {
            "record": link.record_id,
            "owner": link.owner_id,
            "lifecycle stage": link.lifecycle_stage,
            "lead status": link.lead_status,
            "opt-out": link.opted_out,
            "deals": deals[link.pk],
        }
        for link in Link.objects.filter(pk__in=ids)
    }


def facts_in_crm(found: Snapshot, pk: int) -> Facts:
    """Return the CRM's values of a contact; {} if the record is gone, which differs from all."""
    record = found.records.get(pk)
    return comparable_facts(record, found.deals.get(pk, ())) if record else {}


def comparable_facts(record: CrmContact, deals: Collection[CrmDeal]) -> Facts:
    return {
        "record": record.record_id,
        "owner": record.owner_id[:CRM_ID_LENGTH],
        "lifecycle stage": record.lifecycle_stage[:CRM_ID_LENGTH],
        "lead status": record.lead_status[:CRM_ID_LENGTH],
        "opt-out": record.opted_out,
        "deals": {
            (
                deal.deal_id,
                deal.pipeline_id[:CRM_ID_LENGTH],
                deal.stage_id[:CRM_ID_LENGTH],
                deal.owner_id[:CRM_ID_LENGTH],
                deal.closed,
                deal.won,
            )
            for deal in deals
        },
    }


def seen_instants(ids: Collection[int]) -> Collection[tuple[int, datetime]]:
    return list(CrmState.objects.filter(pk__in=ids).values_list("pk", "seen_at"))


def seen_age(seen: datetime | None, now: datetime) -> float:
    return (now - seen).total_seconds() if seen else 0.0


def drift_last_month(at: datetime) -> list[Drift]:
    """Return the samples of the last 30 days, oldest first."""
    return list(Drift.objects.filter(at__gt=at - timedelta(days=30)).order_by("at"))

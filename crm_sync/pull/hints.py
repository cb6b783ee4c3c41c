"""Refresh records named by webhooks, with the same reads and writes as the pull."""

from collections.abc import Collection, Sequence
from datetime import datetime

from crm_sync import hint_wakeup
from crm_sync.account import check_account
from crm_sync.circuit_breaker import BreakerState, admission, record_failure, reset
from crm_sync.models import Breaker, Hint, Link, PullReport
from crm_sync.port import Crm, CrmError, CrmPaced
from crm_sync.pull.cursors import contacts_with_address, contacts_with_deal, contacts_with_record
from crm_sync.pull.erasures import erase_confirmed
from crm_sync.pull.run import CHUNK, PullRun
from leadscoring.common.advisory_lock import HINTS, advisory_lock
from leadscoring.common.batching import batched


def apply_due_hints(crm: Crm, heard_by: datetime, at: datetime) -> int:
    """Refresh some of the records that were hinted at until `heard_by`, the oldest hints first.

    Return how many hints were settled. One worker at a time: two concurrent reads of one contact
    would cancel each other. Without the lock, wake the worker for hints that the holder may not see.
    """
    with advisory_lock(HINTS) as mine:
        if mine:
            return apply_some_hints(crm, heard_by, at)
    hint_wakeup.wake_for_hints()
    return 0


def apply_some_hints(crm: Crm, heard_by: datetime, at: datetime) -> int:
    """Settle each hint only after what it covers was applied.

    An error here counts as one of the pull: it opens the pull's breaker, and the home page shows it.
    """
    # After an outage the caller may be the one that makes the trial: only with work in hand.
    if not crm.connected or not Hint.objects.due(heard_by).exists():
        Hint.objects.forget(at)
        return 0
    with admission(crm, Breaker.Work.PULL, at) as state:
        hints = [] if state is BreakerState.OPEN else Hint.objects.claim(heard_by, at)
        return apply_claimed(crm, hints, at)


def apply_claimed(crm: Crm, hints: Sequence[Hint], at: datetime) -> int:
    if not hints:
        Hint.objects.forget(at)
        return 0
    try:
        apply_hints(crm, hints, at)
    except CrmError as error:
        Hint.objects.put_back(hints, at)
        if not isinstance(error, CrmPaced):
            record_failure(crm, Breaker.Work.PULL, error, at)
        return 0
    reset(crm, Breaker.Work.PULL, at)
    Hint.objects.settle(hints, at)
    return len(hints)


def apply_hints(crm: Crm, hints: Sequence[Hint], at: datetime) -> None:
    visit = PullRun(crm, check_account(crm, at), at, PullReport(started_at=at))
    erase_confirmed(crm, visit.account, hints, at)
    merged_into = {
        hint.record_id: hint.merged_into
        for hint in hints
        if hint.kind == Hint.Kind.CONTACT and hint.merged_into
    }
    for ids in batched(sorted(contacts_of_hints(visit, hints)), CHUNK):
        visit.see(ids, merged_into)


def contacts_of_hints(visit: PullRun, hints: Sequence[Hint]) -> set[int]:
    """Return contacts of ours that may have changed. Most records belong to no contact."""
    deals, records = hinted_ids(hints, Hint.Kind.DEAL), hinted_ids(hints, Hint.Kind.CONTACT)
    on_deals = visit.crm.contacts_of_deals(deals) if deals else {}
    there = {record_id for found in on_deals.values() for record_id in found}
    known = Link.objects.filter(account_id=visit.account.account_id, record_id__in=records)
    strangers = set(records).difference(known.values_list("record_id", flat=True))
    return (
        contacts_with_record(visit, there.union(records))
        | contacts_with_deal(deals)
        | resolve_record_ids(visit, strangers)
    )


def hinted_ids(hints: Sequence[Hint], kind: Hint.Kind) -> list[str]:
    return [hint.record_id for hint in hints if hint.kind == kind]


def resolve_record_ids(visit: PullRun, record_ids: Collection[str]) -> set[int]:
    """Return contacts that have these records by another id (merged), or by their address (new there)."""
    found = visit.crm.contacts_by_id(list(record_ids), []).values() if record_ids else ()
    merged = contacts_with_record(visit, {record.record_id for record in found})
    return merged | contacts_with_address({record.email for record in found if record.email})

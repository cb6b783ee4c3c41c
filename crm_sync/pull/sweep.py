"""Contacts read again and again, because not every change shows in a search.

An association that is made or removed changes the time of neither record, and a deleted record is
in no search. So:

* contacts that were never read are read first: their mail waits for it;
* contacts whose record was not shown are looked for again, until it is known to be deleted;
* contacts that are about to be mailed are read, when their last read is not recent;
* everybody's associations are read again, many contacts a request, before what is known of them
  is too old to send by; only contacts whose deals differ from ours are read as a whole;
* everybody's record and deals are read again by their ids, at a rate that the day's budget allows.

Nothing here uses the search. A part is done when it is applied; a sweep that is killed resumes there.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from crm_sync import budget_shares
from crm_sync.models import Deal, Link, PullReport, Round
from crm_sync.port import Crm
from crm_sync.pull.fetch import people_of_interest
from crm_sync.pull.run import CHUNK, PullRun
from leadscoring import crm_state
from leadscoring.common.batching import batched
from leadscoring.common.spans import format_upper_bound
from leadscoring.models import CrmState
from sequences.models import Enrollment

MINUTES_A_DAY = 24 * 60
FEWEST, MOST_MINUTES = 100, 10.0
# The fraction of the age at which mail is held, after which everybody's associations are read again.
SOON_ENOUGH = 2 / 3
ABOUT_TO_BE_MAILED = timedelta(minutes=10)


def refresh_never_seen(visit: PullRun) -> None:
    """Read contacts that were never read: new in a sequence, new in the CRM through a handoff."""
    last = 0
    while not visit.is_over() and (ids := never_seen(last)):
        visit.see(ids)
        last = ids[-1]


def never_seen(after: int) -> list[int]:
    """Return contacts of interest without a state, in id order, from the tables that make them so."""
    found: set[int] = set()
    sources: tuple[QuerySet[Link] | QuerySet[Enrollment], ...] = (
        Link.objects.all(),
        Enrollment.objects.open(),
    )
    for rows in sources:
        unseen = rows.filter(contact__crm_state=None, contact__gt=after).order_by("contact")
        found.update(unseen.values_list("contact", flat=True)[:CHUNK])
    return sorted(found)[:CHUNK]


def refresh_missing(visit: PullRun) -> None:
    """Read contacts again whose record was not shown lately, a bounded number: mail is held for them."""
    rows = Link.objects.filter(gone_for_good=False, missing_since__isnull=False)
    ids = rows.order_by("missing_since").values_list("pk", flat=True)[:CHUNK]
    if not visit.is_over() and ids:
        visit.see(sorted(ids))


def refresh_due_for_mail(visit: PullRun) -> None:
    """Read contacts about to be mailed, a bounded number: no search shows that a record was deleted."""
    at, old = visit.now(), timedelta(seconds=settings.CRM_MAX_AGE_SECONDS)
    due = Enrollment.objects.due(at + ABOUT_TO_BE_MAILED).order_by("next_at")
    rows = due.filter(contact__crm_state__seen_at__lt=at - old)
    if not visit.is_over() and (ids := sorted(set(rows.values_list("contact", flat=True)[:CHUNK]))):
        visit.see(ids)


def sweep_associations(visit: PullRun) -> None:
    """Compare the deals of all contacts that the CRM knows, once in each interval."""
    sweep = Round.of(Round.Kind.ASSOCIATIONS)
    if sweep.began_at is None:
        if sweep.whole_since and visit.now() < sweep.whole_since + sweep_pause(visit, sweep):
            return
        sweep.begin(visit.now())
    size = visit.crm.capabilities.people_at_once
    while not visit.is_over():
        known = CrmState.objects.exclude(record_id="").filter(pk__gt=sweep.position)
        rows = list(known.order_by("pk").values_list("pk", "record_id")[:size])
        for ids in batched(contacts_with_other_deals(visit, dict(rows)), CHUNK):
            visit.see(ids)
        if rows:
            sweep.passed(rows[-1][0], len(rows), visit.now())
        if len(rows) < size:
            sweep.end(visit.now())
            return


def sweep_pause(visit: PullRun, sweep: Round) -> timedelta:
    """Return the time between two starts: short enough to keep mail going, if the day's budget
    allows that."""
    wanted = timedelta(seconds=settings.CRM_MAX_AGE_SECONDS) * SOON_ENOUGH
    capabilities = visit.crm.capabilities
    cost = capabilities.deal_ids_cost * sweep.whole_people / capabilities.people_at_once
    return budget_shares.shortest_interval(visit.crm, cost, budget_shares.ASSOCIATIONS, wanted)


def contacts_with_other_deals(visit: PullRun, record_of: dict[int, str]) -> list[int]:
    """Return contacts whose deals in the CRM differ from those known here."""
    if not record_of:
        return []
    there = visit.crm.deal_ids_of(list(record_of.values()))
    here = mirrored_deal_ids(list(record_of))
    return [pk for pk, record_id in record_of.items() if set(there.get(record_id, ())) != here[pk]]


def mirrored_deal_ids(contact_ids: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {pk: set() for pk in contact_ids}
    tied = Deal.contacts.through.objects.filter(contact_id__in=contact_ids)
    for pk, deal_id in tied.values_list("contact_id", "deal__deal_id"):
        found[pk].add(deal_id)
    return found


def sweep_records(visit: PullRun, *, all_at_once: bool) -> Iterator[int]:
    """Read everybody's record and deals again, within the budget; yield the number of each part.

    The very first round does not wait for the budget.
    """
    sweep = Round.of(Round.Kind.RECORDS)
    if sweep.began_at is None:
        sweep.begin(visit.now())
    all_at_once = all_at_once or sweep.whole_since is None
    left = sys.maxsize if all_at_once else sweep_allowance(visit, sweep)
    while left > 0 and not visit.is_over():
        size = min(CHUNK, left)
        rows = people_of_interest().filter(pk__gt=sweep.position).order_by("pk")
        ids = list(rows.values_list("pk", flat=True)[: size + 1])
        visit.see(ids[:size])
        sweep.passed(max(ids[:size], default=0), len(ids[:size]), visit.now())
        yield len(ids[:size])
        if len(ids) <= size:
            finish_round(sweep, visit.now())
            return
        left -= size


def finish_round(sweep: Round, at: datetime) -> None:
    """End a round and drop the state of contacts that it did not meet: they are of no interest any more."""
    if sweep.began_at:
        crm_state.drop_states_before(sweep.began_at)
    sweep.end(at)


def sweep_allowance(visit: PullRun, sweep: Round) -> int:
    """Return how many contacts may be read now, for the time since the last part.

    Where the budget does not allow a part in MOST_MINUTES, wait until it does.
    """
    rate, waited = people_a_minute(visit.crm), sweep.minutes_waited(visit.now())
    if rate * MOST_MINUTES < FEWEST:
        return FEWEST if rate * waited >= FEWEST else 0
    return max(FEWEST, int(rate * min(waited, MOST_MINUTES)))


def people_a_minute(crm: Crm) -> float:
    a_minute = budget_shares.daily_allowance(crm) * budget_shares.RECORDS / MINUTES_A_DAY
    return 100 * a_minute / crm.capabilities.read_cost


def poll_interval(crm: Crm) -> timedelta:
    """Return the time from one look for changes to the next: CRM_POLL_SECONDS, or longer where the day's
    budget is too small for that."""
    wanted = timedelta(seconds=settings.CRM_POLL_SECONDS)
    cost = crm.capabilities.poll_cost
    return budget_shares.shortest_interval(crm, cost, budget_shares.POLL, wanted)


def is_poll_due(crm: Crm, at: datetime) -> bool:
    """Return whether beat's wake-up is one at which the CRM is asked."""
    interval = poll_interval(crm)
    if interval <= timedelta(seconds=settings.CRM_POLL_SECONDS):
        return True
    started_at = PullReport.objects.values_list("started_at", flat=True).first()
    return started_at is None or at >= started_at + interval


def poll_sentence(crm: Crm) -> str:
    """Return a sentence on how soon a change in the CRM is known here; "" without a CRM."""
    if not crm.connected:
        return ""
    return f"Changes there are seen within {format_upper_bound(poll_interval(crm))}."


def first_round_progress() -> int:
    """Return the contacts read in the very first round, while it is unfinished; else 0."""
    under_way = Round.objects.filter(pk=Round.Kind.RECORDS, whole_since=None)
    return under_way.values_list("people", flat=True).first() or 0


def sweep_sentence() -> str:
    """Return a sentence on how long it takes to read everybody's record again."""
    sweep = Round.objects.filter(pk=Round.Kind.RECORDS).first()
    if sweep is None or sweep.whole_since is None or sweep.whole_until is None:
        return "Not everybody has been looked at yet."
    took = max(sweep.whole_until - sweep.whole_since, timedelta(minutes=1))
    who = "The one person" if sweep.whole_people == 1 else f"All {sweep.whole_people:,} people"
    return f"{who} of interest to the CRM seen again within {format_upper_bound(took)}."

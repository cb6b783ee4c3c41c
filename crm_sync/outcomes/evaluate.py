"""Outcomes of the leads that sales received: stored as activities, and kept for the figures."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from crm_sync import with_sales
from crm_sync.deals.stage_policy import deals_by_contact
from crm_sync.models import Deal, Handoff, Link, Outcome, RejectingStatus
from crm_sync.models.outcomes import due_for_evaluation
from leadscoring.engine.wording import format_fact
from leadscoring.intake import take_activities
from leadscoring.models import Contact, ModelVersion
from leadscoring.scoring import SALES_SOURCE, group_by_model

SOURCE = SALES_SOURCE
MOST = 500  # handoffs at a time

State = Outcome.State
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OutcomeFinding:
    """The outcome of a handoff, and why if it ended badly. `at`: when, by the CRM's clock."""

    state: State
    at: datetime
    reason: str = ""
    deal: str = ""
    began: datetime | None = None  # when the first deal was made


def decide_finding(deals: Sequence[Deal], refused_by: str, seen_at: datetime) -> OutcomeFinding:
    """Return the best outcome of a handoff: a deal that was made outweighs a lead status.

    `deals`: those made since; `refused_by`: the lead status by which sales rejected it since, or "".
    """
    if not deals:
        state = State.REFUSED if refused_by else State.PENDING
        return OutcomeFinding(state, seen_at, refused_by)
    told = min(deals, key=lambda deal: (deal_rank(deal), deal.deal_id))
    made = min(deal.made_at or seen_at for deal in deals)
    state = (State.WON, State.DEAL, State.LOST)[deal_rank(told)]
    at = made if state == State.DEAL else told.changed_at or seen_at
    reason = told.lost_reason if state == State.LOST else ""
    return OutcomeFinding(state, at, reason, str(told), made)


def deal_rank(deal: Deal) -> int:
    """Return the sort key: won before open before lost."""
    return 0 if deal.won else 2 if deal.closed else 1


def rejection_of(row: Outcome, status: str, refusing: Collection[str], *, is_last: bool) -> str:
    """Return the rejecting status: as read for the contact's last handoff, as stored for earlier ones."""
    if is_last:
        return rejecting_status(row, status, refusing)
    return row.reason if row.refused else ""


def rejecting_status(row: Outcome, status: str, refusing: Collection[str]) -> str:
    """Return the lead status, if it rejects and was not there before the handoff; else ""."""
    news = row.refused or status != row.lead_status
    return status if status in refusing and news else ""


def remember_lead_statuses(handoffs: Iterable[tuple[Handoff, Link]]) -> None:
    """Store the lead status that each contact had before the handoff. Two queries."""
    pairs = list(handoffs)
    crossed = {row.pk: row.crossed_at for row, _ in pairs}
    models = {pk: version for version, some in group_by_model(crossed) for pk in some}
    fresh = [new_outcome(row, link, models[row.pk]) for row, link in pairs]
    Outcome.objects.bulk_create(fresh, ignore_conflicts=True)


def new_outcome(handoff: Handoff, link: Link, model: ModelVersion) -> Outcome:
    return Outcome(
        handoff=handoff,
        model=model,
        since=handoff.crossed_at,
        lead_status=link.lead_status,
        seen_at=link.seen_at,
    )


def evaluate_outcomes(at: datetime, most: int = MOST) -> int:
    """Evaluate handoffs whose contacts the CRM has new data on; return how many."""
    ids = list(due_for_evaluation(at).values_list("pk", flat=True)[:most])
    if ids:
        evaluate_handoffs(ids, at)
    return len(ids)


def evaluate_handoffs(handoff_ids: Collection[int], at: datetime) -> None:
    """Evaluate handoffs by the mirrored data of their contacts; store what changed in one transaction.

    A fixed number of queries. Safe to repeat, and to run twice at once: an activity is stored once.
    """
    with transaction.atomic():
        wanted = Handoff.objects.filter(pk__in=handoff_ids)
        people = lock_handed_off(wanted.values_list("contact_id", flat=True))
        handoffs = list(wanted.filter(contact__in=people).order_by("pk"))
        links = Link.objects.in_bulk([row.contact_id for row in handoffs])
        handoffs = [row for row in handoffs if row.contact_id in links]
        rows = load_outcomes(handoffs, links)
        since, last = deals_since(handoffs), last_handoffs_of(people)
        refusing = set(RejectingStatus.objects.values_list("status", flat=True))
        news = []
        for handoff in handoffs:
            row, link = rows[handoff.pk], links[handoff.contact_id]
            no = rejection_of(row, link.lead_status, refusing, is_last=handoff.pk in last)
            found = decide_finding(since[handoff.pk], no, link.seen_at)
            row.lead_status, row.seen_at = link.lead_status, link.seen_at
            if row.become(found.state, found.reason, found.at):
                news.append((people[handoff.contact_id], handoff, row, found))
        names = ["state", "reason", "since", "lead_status", "seen_at"]
        Outcome.objects.bulk_update(rows.values(), names)
        with_sales.send_changes({handoff.contact_id for _, handoff, _, _ in news}, at)
        store_outcome_activities(news, at)


def lock_handed_off(contact_ids: Iterable[int]) -> dict[int, Contact]:
    rows = Contact.objects.filter(pk__in=set(contact_ids)).order_by("pk").select_for_update()
    return {person.pk: person for person in rows}


def last_handoffs_of(contact_ids: Iterable[int]) -> set[int]:
    """Return the last delivered handoff of each contact."""
    told = Handoff.objects.delivered().filter(contact__in=list(contact_ids))
    newest = told.order_by("contact", "-delivered_at", "-cycle").distinct("contact")
    return set(newest.values_list("pk", flat=True))


def load_outcomes(handoffs: Sequence[Handoff], links: Mapping[int, Link]) -> dict[int, Outcome]:
    """Return the outcomes of handoffs, by handoff; create missing ones, of handoffs from before outcomes."""
    known = set(Outcome.objects.filter(handoff__in=handoffs).values_list("pk", flat=True))
    remember_lead_statuses((row, links[row.contact_id]) for row in handoffs if row.pk not in known)
    return Outcome.objects.select_related("model").in_bulk([row.pk for row in handoffs])


def deals_since(handoffs: Sequence[Handoff]) -> dict[int, list[Deal]]:
    """Return the deals made after each handoff and before the next of the same contact."""
    contact_ids = {row.contact_id for row in handoffs}
    told = Handoff.objects.delivered().filter(contact__in=contact_ids).order_by("delivered_at")
    deals = deals_by_contact(contact_ids)
    found: dict[int, list[Deal]] = {row.pk: [] for row in handoffs}
    last: dict[tuple[int, str], int] = {}
    for pk, contact_id, delivered_at in told.values_list("pk", "contact_id", "delivered_at"):
        for deal in deals[contact_id]:
            if deal.made_at and delivered_at and deal.made_at > delivered_at:
                last[contact_id, deal.deal_id] = pk
    for (contact_id, deal_id), pk in last.items():
        if pk in found:
            found[pk] += [deal for deal in deals[contact_id] if deal.deal_id == deal_id]
    return found


News = tuple[Contact, Handoff, Outcome, OutcomeFinding]


def store_outcome_activities(news: Iterable[News], at: datetime) -> None:
    """Store outcomes as activities of the leads, each once; scores are up to date afterwards."""
    told = [one for each in news for one in outcome_activities(*each, at)]
    taken = take_activities(told, SOURCE, at) if told else None
    for rejection in taken.rejected if taken else ():
        log.error("What became of a lead was refused as an activity: %s.", rejection.field)


def outcome_activities(
    person: Contact, handoff: Handoff, row: Outcome, found: OutcomeFinding, at: datetime
) -> Iterator[dict[str, object]]:
    """Yield the deal first for a lead that was won or lost. Yield nothing for one that waits again."""
    if found.began:
        yield outcome_activity(person, handoff, row, "deal", min(found.began, at), found)
    if found.state not in (State.PENDING, State.DEAL):
        yield outcome_activity(person, handoff, row, found.state, min(found.at, at), found)


def outcome_activity(
    person: Contact,
    handoff: Handoff,
    row: Outcome,
    what: str,
    when: datetime,
    found: OutcomeFinding,
) -> dict[str, object]:
    """Build an activity. `when`: at most now, as the CRM's clock may be ahead. Sales' text is cleaned."""
    about = {
        "handoff": handoff.reference,
        "model": str(row.model),
        "deal": format_fact(found.deal),
        "reason": format_fact(found.reason) if what == found.state else "",
    }
    return person.named_item() | {
        "type": f"sales_{what}",
        "event_id": f"{handoff.reference}-{what}",
        "occurred_at": when.isoformat(),
        "properties": {name: value for name, value in about.items() if value},
    }

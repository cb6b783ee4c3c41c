"""What sales made of the leads they were given: told back as activities, and kept for the figures."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from crm_sync.crossings import by_version
from crm_sync.models import Deal, Handoff, Link, Outcome, Refusal
from crm_sync.models.outcomes import to_weigh
from crm_sync.pull.effects import deals_by_contact
from leadscoring.engine.wording import show
from leadscoring.intake import take_activities
from leadscoring.models import Contact, ModelVersion

SOURCE = "crm"
MOST = 500  # handoffs at a time

State = Outcome.State
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a handoff has come to, and why where it ended badly. `at`: when, by the CRM's clock."""

    state: State
    at: datetime
    reason: str = ""
    deal: str = ""
    began: datetime | None = None  # when the first deal was made


def finding(deals: Sequence[Deal], refused_by: str, seen_at: datetime) -> Finding:
    """The best that came of a handoff: a deal that was made says more than a lead status.

    `deals`: those made since; `refused_by`: the lead status by which sales said no since, or "".
    """
    if not deals:
        state = State.REFUSED if refused_by else State.PENDING
        return Finding(state, seen_at, refused_by)
    told = min(deals, key=lambda deal: (rank(deal), deal.deal_id))
    made = min(deal.made_at or seen_at for deal in deals)
    state = (State.WON, State.DEAL, State.LOST)[rank(told)]
    at = made if state == State.DEAL else told.changed_at or seen_at
    reason = told.lost_reason if state == State.LOST else ""
    return Finding(state, at, reason, str(told), made)


def rank(deal: Deal) -> int:
    """Won before open before lost."""
    return 0 if deal.won else 2 if deal.closed else 1


def no_of(row: Outcome, status: str, refusing: Collection[str], *, is_last: bool) -> str:
    """A status is said of the contact's last handoff; what was said of an earlier one stays."""
    if is_last:
        return refused_by(row, status, refusing)
    return row.reason if row.refused else ""


def refused_by(row: Outcome, status: str, refusing: Collection[str]) -> str:
    """The lead status, if it refuses and was not there before sales was told; else ""."""
    news = row.refused or status != row.lead_status
    return status if status in refusing and news else ""


def expect(handoffs: Iterable[tuple[Handoff, Link]]) -> None:
    """Remember the lead status that each contact had before sales is told of them. Two queries."""
    pairs = list(handoffs)
    versions = by_version({row.pk: row.crossed_at for row, _ in pairs})
    models = {pk: version for version, pks in versions.items() for pk in pks}
    fresh = [fresh_row(row, link, models[row.pk]) for row, link in pairs]
    Outcome.objects.bulk_create(fresh, ignore_conflicts=True)


def fresh_row(handoff: Handoff, link: Link, model: ModelVersion) -> Outcome:
    return Outcome(
        handoff=handoff,
        model=model,
        since=handoff.crossed_at,
        lead_status=link.lead_status,
        seen_at=link.seen_at,
    )


def weigh(at: datetime, most: int = MOST) -> int:
    """Weigh what the CRM newly said of handed off contacts; answers of how many handoffs."""
    ids = list(to_weigh(at).values_list("pk", flat=True)[:most])
    if ids:
        weigh_these(ids, at)
    return len(ids)


def weigh_these(handoff_ids: Collection[int], at: datetime) -> None:
    """Weigh handoffs by what is mirrored of their contacts, and tell what is news, in one transaction.

    A fixed number of queries. Safe to repeat, and to do twice at once: an activity is stored once.
    """
    with transaction.atomic():
        wanted = Handoff.objects.filter(pk__in=handoff_ids)
        people = locked(wanted.values_list("contact_id", flat=True))
        handoffs = list(wanted.filter(contact__in=people).order_by("pk"))
        links = Link.objects.in_bulk([row.contact_id for row in handoffs])
        handoffs = [row for row in handoffs if row.contact_id in links]
        rows = outcomes_of(handoffs, links)
        since, last = deals_since(handoffs), last_of(people)
        refusing = set(Refusal.objects.values_list("status", flat=True))
        news = []
        for handoff in handoffs:
            row, link = rows[handoff.pk], links[handoff.contact_id]
            no = no_of(row, link.lead_status, refusing, is_last=handoff.pk in last)
            found = finding(since[handoff.pk], no, link.seen_at)
            row.lead_status, row.seen_at = link.lead_status, link.seen_at
            if row.become(found.state, found.reason, found.at):
                news.append((people[handoff.contact_id], handoff, row, found))
        names = ["state", "reason", "since", "lead_status", "seen_at"]
        Outcome.objects.bulk_update(rows.values(), names)
        tell(news, at)


def locked(contact_ids: Iterable[int]) -> dict[int, Contact]:
    rows = Contact.objects.filter(pk__in=set(contact_ids)).order_by("pk").select_for_update()
    return {person.pk: person for person in rows}


def last_of(contact_ids: Iterable[int]) -> set[int]:
    """The last handoff of each contact that sales was told of."""
    told = Handoff.objects.delivered().filter(contact__in=list(contact_ids))
    newest = told.order_by("contact", "-delivered_at", "-cycle").distinct("contact")
    return set(newest.values_list("pk", flat=True))


def outcomes_of(handoffs: Sequence[Handoff], links: Mapping[int, Link]) -> dict[int, Outcome]:
    """The rows of handoffs, by handoff; those from before there were any are made."""
    known = set(Outcome.objects.filter(handoff__in=handoffs).values_list("pk", flat=True))
    expect((row, links[row.contact_id]) for row in handoffs if row.pk not in known)
    return Outcome.objects.select_related("model").in_bulk([row.pk for row in handoffs])


def deals_since(handoffs: Sequence[Handoff]) -> dict[int, list[Deal]]:
    """The deals made after each handoff and before the next of the same contact."""
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


News = tuple[Contact, Handoff, Outcome, Finding]


def tell(news: Iterable[News], at: datetime) -> None:
    """Store what became of leads as activities of theirs, each once; scores are up to date then."""
    told = [one for each in news for one in activities(*each, at)]
    taken = take_activities(told, SOURCE, at) if told else None
    for rejection in taken.rejected if taken else ():
        log.error("What became of a lead was refused as an activity: %s.", rejection.field)


def activities(
    person: Contact, handoff: Handoff, row: Outcome, found: Finding, at: datetime
) -> Iterator[dict[str, object]]:
    """A lead that was won or lost became a deal first. Nothing is told of one that waits again."""
    if found.began:
        yield activity(person, handoff, row, "deal", min(found.began, at), found)
    if found.state not in (State.PENDING, State.DEAL):
        yield activity(person, handoff, row, found.state, min(found.at, at), found)


def activity(
    person: Contact, handoff: Handoff, row: Outcome, what: str, when: datetime, found: Finding
) -> dict[str, object]:
    """`when` is by our clock at most: the CRM's may be ahead. What sales typed comes as one clean line."""
    who = {"email": person.email} if person.email else {"external_id": person.external_id}
    about = {
        "handoff": handoff.reference,
        "model": str(row.model),
        "deal": show(found.deal),
        "reason": show(found.reason) if what == found.state else "",
    }
    return who | {
        "type": f"sales_{what}",
        "event_id": f"{handoff.reference}-{what}",
        "occurred_at": when.isoformat(),
        "properties": {name: value for name, value in about.items() if value},
    }

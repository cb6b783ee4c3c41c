"""The deal board: a column for each stage of a pipeline, a card for each deal."""

from typing import Any

from ..refusals import not_found
from ..store import Record
from .markup import Safe, choices, fill, join
from .queue import contact_link
from .visit import Moved, Page, Visit, money, name_of, owner_choices

SHOWN = 50  # cards of a column


def board(visit: Visit) -> Page:
    pipelines = visit.store.pipelines
    chosen = visit.asked("pipeline") or next(iter(pipelines))
    if chosen not in pipelines:
        raise not_found("There is no such pipeline.")
    deals = _by_stage(visit, chosen)
    stages = [
        stage
        for stage in pipelines[chosen]["stages"]
        if not stage["archived"] or stage["id"] in deals
    ]
    body = fill(
        "board",
        tabs=join(_tab(each, chosen) for each in pipelines.values()),
        columns=join(_column(visit, stages, each, deals.get(each["id"], [])) for each in stages),
    )
    return Page("Deals", body)


def show(visit: Visit) -> Moved:
    """A deal's own address leads to its place on the board."""
    deal = visit.record("deals")
    return Moved(f"/deals?pipeline={deal.properties['pipeline']}#deal-{deal.id}")


def change(visit: Visit) -> Moved:
    """Another stage, owner or amount."""
    deal = visit.record("deals")
    names = ("dealstage", "hubspot_owner_id", "amount")
    visit.change(deal, {name: visit.form[name] for name in names if name in visit.form})
    return Moved(f"/deals?pipeline={deal.properties['pipeline']}")


def _by_stage(visit: Visit, pipeline_id: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for deal in visit.store.live("deals"):
        if deal.properties.get("pipeline") == pipeline_id:
            found.setdefault(deal.properties["dealstage"], []).append(deal)
    return found


def _tab(pipeline: dict[str, Any], chosen: str) -> Safe:
    return fill(
        "plain_tab",
        link=f"/deals?pipeline={pipeline['id']}",
        name=pipeline["label"],
        now="page" if pipeline["id"] == chosen else "",
    )


def _column(
    visit: Visit, stages: list[dict[str, Any]], stage: dict[str, Any], deals: list[Record]
) -> Safe:
    total = sum(float(each.properties.get("amount", 0)) for each in deals)
    newest = deals[: -SHOWN - 1 : -1]
    return fill(
        "column",
        id=stage["id"],
        label=stage["label"],
        kind=_kind(stage["metadata"]),
        odds=f"{float(stage['metadata'].get('probability', 0)):.0%}",
        count=len(deals),
        total=money(str(total)) if total else "",
        cards=join(_card(visit, stages, each) for each in newest),
        hidden=f"and {len(deals) - SHOWN} more" if len(deals) > SHOWN else "",
    )


def _kind(metadata: dict[str, str]) -> str:
    """won, lost or open: by the metadata, never by the label."""
    if metadata.get("isClosed", "").lower() != "true":
        return "open"
    return "won" if float(metadata.get("probability", 0)) == 1 else "lost"


def _card(visit: Visit, stages: list[dict[str, Any]], deal: Record) -> Safe:
    held, store = deal.properties, visit.store
    contacts = [store.records["contacts"][id_] for id_ in store.linked(deal, "contacts")]
    labels = {each["id"]: each["label"] for each in stages}
    return fill(
        "deal_card",
        id=deal.id,
        name=name_of(deal),
        amount=money(held.get("amount", "")) or "no amount",
        contacts=join(map(contact_link, contacts)) or fill("unlinked"),
        stages=choices(labels, held["dealstage"]),
        owners=owner_choices(store, held.get("hubspot_owner_id", "")),
    )

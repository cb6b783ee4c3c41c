"""The people of the CRM: a list, and one person with everything known."""

from itertools import groupby
from typing import Any

from ..definitions import LIFECYCLE
from ..refusals import bad_request
from ..store import Record
from ..values import choices as allowed
from ..writes import STAGE_ORDER
from .markup import Safe, choices, fill, join
from .queue import card
from .visit import Moved, Page, Visit, moment, money, name_of, owner_choices, owner_name

SHOWN = 100
EDITED = ("hubspot_owner_id", "lifecyclestage", "hs_lead_status", "hs_email_optout")
SEARCHED = ("firstname", "lastname", "email", "company")


def page(visit: Visit) -> Page:
    """The newest first; found by name, e-mail or company."""
    asked = visit.asked("q").strip()
    rows, total = [], 0
    for contact in visit.store.live("contacts"):
        if asked.lower() in _text(contact):
            total += 1
            rows.append(contact)
    shown = rows[: -SHOWN - 1 : -1]
    body = fill(
        "contacts",
        asked=asked,
        total=f"{total:,}",
        cut=f", the newest {SHOWN} are shown" if total > SHOWN else "",
        rows=join(_row(visit, each) for each in shown) or _none(asked),
    )
    return Page("Contacts", body)


def _text(contact: Record) -> str:
    return " ".join(contact.properties.get(name, "") for name in SEARCHED).lower()


def _none(asked: str) -> Safe:
    text = "Nobody matches." if asked else "No contacts yet. They appear when a lead is handed off."
    return fill("no_rows", text=text)


def _row(visit: Visit, contact: Record) -> Safe:
    held = contact.properties
    return fill(
        "contact_row",
        id=contact.id,
        name=name_of(contact),
        email=held.get("email", ""),
        company=held.get("company", ""),
        stage=LIFECYCLE.get(held.get("lifecyclestage", ""), held.get("lifecyclestage", "")),
        score=held.get("lead_score", ""),
        owner=owner_name(visit.store, held.get("hubspot_owner_id")),
    )


def read(visit: Visit) -> Page | Moved:
    contact = visit.record("contacts")
    if contact.id != visit.args["id"]:
        return Moved(f"/contacts/{contact.id}")
    held, store = contact.properties, visit.store
    deals = [store.records["deals"][id_] for id_ in store.linked(contact, "deals")]
    tasks = [store.records["tasks"][id_] for id_ in store.linked(contact, "tasks")]
    gone = contact.archived_at is not None
    body = fill(
        "contact",
        id=contact.id,
        name=name_of(contact),
        line=" · ".join(filter(None, (held.get("jobtitle"), held.get("company")))),
        email=held.get("email", ""),
        state=fill("archived") if gone else "",
        owners=owner_choices(store, held.get("hubspot_owner_id", "")),
        stages=_choices(visit, "lifecyclestage", held),
        statuses=_choices(visit, "hs_lead_status", held),
        optouts=_choices(visit, "hs_email_optout", held),
        archive_to="" if gone else "yes",
        archive_action="Restore this contact" if gone else "Archive this contact",
        groups=join(_groups(visit, contact)),
        tasks=join(card(visit, each) for each in reversed(tasks)) or fill("none", text="No tasks."),
        deals=join(_deal(visit, each) for each in reversed(deals))
        or fill("none", text="No deals."),
        deal_name=f"{held.get('company') or name_of(contact)}: new deal",
        deal_stages=stage_choices(visit, ""),
        deal_owners=owner_choices(store, held.get("hubspot_owner_id", "")),
    )
    return Page(name_of(contact), body)


def _choices(visit: Visit, name: str, held: dict[str, str]) -> Safe:
    labels = allowed(visit.store, visit.store.definitions["contacts"][name])
    return choices(labels, held.get(name, ""), empty="not set")


def _groups(visit: Visit, contact: Record) -> list[Safe]:
    """All properties with a value by group: what the product sent stands first."""
    definitions = [
        each
        for each in visit.store.definitions["contacts"].values()
        if contact.properties.get(each["name"])
    ]
    definitions.sort(key=lambda each: (each["hubspotDefined"], each["groupName"]))
    return [
        fill(
            "group",
            label=visit.store.groups["contacts"][name]["label"],
            rows=join(_property(visit, contact, each) for each in members),
        )
        for name, members in groupby(definitions, key=lambda each: str(each["groupName"]))
    ]


def _property(visit: Visit, contact: Record, definition: dict[str, Any]) -> Safe:
    text = contact.properties[definition["name"]]
    if definition["type"] == "datetime":
        text = moment(text)
    elif definition.get("referencedObjectType") == "OWNER":
        text = owner_name(visit.store, text)
    elif definition["type"] in ("enumeration", "bool"):
        text = allowed(visit.store, definition).get(text, text)
    return fill("property", label=definition["label"], name=definition["name"], value=text)


def _deal(visit: Visit, deal: Record) -> Safe:
    held = deal.properties
    pipeline = visit.store.pipelines[held["pipeline"]]
    labels = {stage["id"]: stage["label"] for stage in pipeline["stages"]}
    return fill(
        "deal_row",
        id=deal.id,
        name=name_of(deal),
        amount=money(held.get("amount", "")),
        pipeline=pipeline["label"],
        stage=labels[held["dealstage"]],
    )


def stage_choices(visit: Visit, chosen: str) -> Safe:
    """All open and closed stages, by pipeline."""
    return join(
        fill(
            "optgroup",
            label=pipeline["label"],
            options=choices(_stages(pipeline), chosen or pipeline["stages"][0]["id"]),
        )
        for pipeline in visit.store.pipelines.values()
    )


def _stages(pipeline: dict[str, Any]) -> dict[str, str]:
    """The value names pipeline and stage, for the form to tell both."""
    return {stage["id"]: stage["label"] for stage in pipeline["stages"] if not stage["archived"]}


def change(visit: Visit) -> Moved:
    """What a rep may do by hand, a lifecycle stage back included: clear it first, as documented."""
    contact = visit.record("contacts")
    wanted = {name: visit.form[name] for name in EDITED if name in visit.form}
    held = contact.properties.get("lifecyclestage", "")
    new = wanted.get("lifecyclestage", "")
    if STAGE_ORDER.get(new, 99) < STAGE_ORDER.get(held, 0):
        visit.change(contact, {"lifecyclestage": ""})
    visit.change(contact, wanted)
    return Moved(f"/contacts/{contact.id}")


def archive(visit: Visit) -> Moved:
    contact = visit.record("contacts")
    if visit.form.get("archived"):
        visit.store.archive(contact, visit.at)
    else:
        _check_free(visit, contact)
        visit.store.restore(contact, visit.at)
    return Moved(f"/contacts/{contact.id}")


def _check_free(visit: Visit, contact: Record) -> None:
    address = contact.properties.get("email", "")
    if visit.store.by_unique("contacts", "email", address):
        raise bad_request(f"Another contact has {address} now.")


def make_deal(visit: Visit) -> Moved:
    contact, form = visit.record("contacts"), visit.form
    stage = form.get("dealstage", "")
    names = ("dealname", "amount", "hubspot_owner_id", "dealstage")
    values = {name: form.get(name, "").strip() for name in names}
    deal = visit.make("deals", values | {"pipeline": _pipeline_of(visit, stage)})
    visit.store.links.add(("deals", deal.id), ("contacts", contact.id), [3])
    return Moved(f"/contacts/{contact.id}")


def _pipeline_of(visit: Visit, stage_id: str) -> str:
    for id_, pipeline in visit.store.pipelines.items():
        if any(stage["id"] == stage_id for stage in pipeline["stages"]):
            return id_
    raise bad_request("Choose a stage.")

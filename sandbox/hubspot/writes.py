"""A write is planned first and carried out second, so that what is refused leaves no trace.

`plan_create` and `plan_update` check everything and touch nothing; `commit` cannot fail.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..server.moments import iso
from .definitions import LIFECYCLE
from .links import LABELS
from .refusals import (
    Refusal,
    bad_request,
    conflict,
    invalid_properties,
    invalid_property,
    required,
)
from .store import SINGULAR, Record, Store, unique_key
from .values import Unfit, stored

STAGE_ORDER = {name: order for order, name in enumerate(LIFECYCLE)}
TASK_DEFAULTS = {
    "hs_task_status": "NOT_STARTED",
    "hs_task_priority": "NONE",
    "hs_task_type": "TODO",
}


@dataclass
class Write:
    """A checked write that only has to be carried out. No record: a new one."""

    kind: str
    changes: dict[str, str]
    record: Record | None = None
    links: list[tuple[str, str, list[int]]] = field(default_factory=list)


@dataclass
class Claims:
    """What the inputs of one batch share. `taken`: (kind, property, value) → the first input with
    this unique value. `known`: (kind, property, value) → its checked text, as most inputs have the
    same owner, stage and so on."""

    taken: dict[tuple[str, str, str], object] = field(default_factory=dict)
    known: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def text(self, store: Store, kind: str, name: str, value: object) -> str:
        """The text to be stored for a value; Unfit when it cannot be."""
        if type(value) is not str:
            return stored(store, kind, name, value)
        key = kind, name, value
        if key not in self.known:
            self.known[key] = stored(store, kind, name, value)
        return self.known[key]


def plan_create(
    store: Store, kind: str, sent: Mapping[str, Any], associations: Any, claims: Claims
) -> Write:
    changes = _checked(store, kind, sent, claims)
    if kind == "contacts" and store.rules.is_full:
        raise bad_request("The limit of contacts of this account's plan is reached.")
    _required_by_account(store, kind, changes)
    _required(kind, changes)
    changes = _completed(kind, changes)
    _check_deal(store, kind, changes, None)
    _check_unique(store, kind, changes, None, claims)
    return Write(kind, changes, links=inline_links(store, kind, associations))


def plan_update(store: Store, record: Record, sent: Mapping[str, Any], claims: Claims) -> Write:
    if not sent:  # quoted from the live service in HubSpot/hubspot-api-ruby#121
        nothing = "No properties found to update, please provide at least one."
        raise bad_request(nothing, context={"properties": ["{}"]})
    changes = _checked(store, record.kind, sent, claims)
    _required_by_account(store, record.kind, changes)
    if _is_backward(record, changes):
        del changes["lifecyclestage"]
    _check_deal(store, record.kind, changes, record)
    _check_unique(store, record.kind, changes, record, claims)
    return Write(record.kind, changes, record)


def commit(store: Store, write: Write, at: datetime) -> Record:
    record = write.record or store.create(write.kind, at)
    facts = _deal_facts(store, record, write.changes) | _task_facts(record, write.changes, at)
    changes = write.changes | facts
    news = {
        name: value for name, value in changes.items() if record.properties.get(name, "") != value
    }
    store.write(record, changes, at)
    if write.record is None:
        store.tell("creation", record.kind, record.id, {"changeFlag": "CREATED"})
    for name, value in news.items():
        told = {"propertyName": name, "propertyValue": value}
        store.tell("propertyChange", record.kind, record.id, told)
    for target_kind, target_id, type_ids in write.links:
        store.links.add((record.kind, record.id), (target_kind, target_id), type_ids)
    return record


def _checked(store: Store, kind: str, sent: Mapping[str, Any], claims: Claims) -> dict[str, str]:
    """All values as they will be stored, or one refusal that names every bad one."""
    changes: dict[str, str] = {}
    faults = []
    for name, value in sent.items():
        try:
            changes[name] = _formatted(store, name, claims.text(store, kind, name, value))
        except Unfit as unfit:
            faults.append(invalid_property(name, unfit.code, str(unfit), store.portal_id))
    address = changes.get("email", "")
    if kind == "contacts" and address in store.blocklist:
        message = f"{address} was permanently deleted and may not be used again"
        faults.append(invalid_property("email", "INVALID_EMAIL", message, store.portal_id))
    if faults:
        raise invalid_properties(faults)
    return changes


def _formatted(store: Store, name: str, text: str) -> str:
    """docs/hubspot-facts.md#reformatted-values"""
    is_phone = store.rules.formats_phones and name in ("phone", "mobilephone")
    return re.sub(r"[^+\d]", "", text) if is_phone else text


def _required_by_account(store: Store, kind: str, changes: Mapping[str, str]) -> None:
    """docs/hubspot-facts.md#writes-refused-for-the-account"""
    name = store.rules.requires
    if kind == "contacts" and name and not changes.get(name):
        raise required(kind, [name])


def _required(kind: str, changes: Mapping[str, str]) -> None:
    if kind == "contacts" and not any(map(changes.get, ("email", "firstname", "lastname"))):
        raise required("CONTACT", ["email", "firstname", "lastname"])
    wanted = {"tasks": ["hs_timestamp"], "deals": ["dealname", "dealstage"]}.get(kind, [])
    missing = [name for name in wanted if not changes.get(name)]
    if missing:
        raise required(SINGULAR[kind].upper(), missing)


def _completed(kind: str, changes: dict[str, str]) -> dict[str, str]:
    if kind == "tasks":
        return TASK_DEFAULTS | changes
    return {"pipeline": "default"} | changes if kind == "deals" else changes


def _is_backward(record: Record, changes: Mapping[str, str]) -> bool:
    """A lifecycle stage only moves forward; cleared with "" it may be set to any (as documented).

    Stages that an account added itself have no known place, and are let through.
    """
    new, old = changes.get("lifecyclestage"), record.properties.get("lifecyclestage")
    if not new or not old or new not in STAGE_ORDER or old not in STAGE_ORDER:
        return False
    return STAGE_ORDER[new] < STAGE_ORDER[old]


def _check_deal(store: Store, kind: str, changes: Mapping[str, str], record: Record | None) -> None:
    """A deal's stage must be one of its pipeline's."""
    if kind != "deals" or not changes.keys() & {"pipeline", "dealstage"}:
        return
    after = {**(record.properties if record else {}), **changes}
    pipeline = store.pipelines.get(after.get("pipeline", ""))
    if pipeline and stage_of(pipeline, after.get("dealstage", "")) is None:
        message = f"{after.get('dealstage')} is no stage of pipeline {pipeline['id']}"
        fault = invalid_property("dealstage", "INVALID_OPTION", message, store.portal_id)
        raise invalid_properties([fault])


def stage_of(pipeline: dict[str, Any], stage_id: str) -> dict[str, Any] | None:
    return next((stage for stage in pipeline["stages"] if stage["id"] == stage_id), None)


def _deal_facts(store: Store, record: Record, changes: Mapping[str, str]) -> dict[str, str]:
    """What HubSpot computes from a deal's stage. Strings, like everything."""
    if record.kind != "deals" or not changes.keys() & {"pipeline", "dealstage"}:
        return {}
    after = {**record.properties, **changes}
    pipeline = store.pipelines.get(after.get("pipeline", ""))
    stage = stage_of(pipeline, after.get("dealstage", "")) if pipeline else None
    metadata = stage["metadata"] if stage else {}
    closed = metadata.get("isClosed", "false").lower() == "true"
    probability = metadata.get("probability", "0.0")
    return {
        "hs_is_closed": str(closed).lower(),
        "hs_is_closed_won": str(closed and float(probability) == 1).lower(),
        "hs_is_closed_lost": str(closed and float(probability) == 0).lower(),
        "hs_deal_stage_probability": probability,
    }


def _task_facts(record: Record, changes: Mapping[str, str], at: datetime) -> dict[str, str]:
    """When a task was completed; nothing any more when it is opened again."""
    if record.kind != "tasks" or "hs_task_status" not in changes:
        return {}
    is_done = changes["hs_task_status"] == "COMPLETED"
    if is_done == ("hs_task_completion_date" in record.properties):
        return {}
    return {"hs_task_completion_date": iso(at) if is_done else ""}


def _check_unique(
    store: Store, kind: str, changes: Mapping[str, str], record: Record | None, claims: Claims
) -> None:
    claimant = record or object()
    for name in store.unique_names(kind):
        value = changes.get(name)
        if not value:
            continue
        holder = store.by_unique(kind, name, value)
        first = claims.taken.setdefault((kind, name, unique_key(name, value)), claimant)
        if first is not claimant or holder not in (None, record):
            raise _taken(store, kind, name, holder)


def _taken(store: Store, kind: str, name: str, holder: Record | None) -> Refusal:
    existing = holder.id if holder else "in this batch"
    if kind == "contacts" and name == "email":
        return conflict(f"Contact already exists. Existing ID: {existing}")
    message = f"{existing} already has that value."
    fault = invalid_property(name, "CONFLICTING_UNIQUE_VALUE", message, store.portal_id)
    return invalid_properties([fault])


def inline_links(store: Store, kind: str, associations: Any) -> list[tuple[str, str, list[int]]]:
    """Check the associations that come with a create: type, direction, and that the target is."""
    if associations is None:
        return []
    try:
        wanted = [
            (str(each["to"]["id"]), [type_id(spec) for spec in each["types"]])
            for each in associations
        ]
    except (TypeError, KeyError):
        raise bad_request("associations must be a list of {to: {id}, types: [...]}") from None
    return [_link(store, kind, id_, type_ids) for id_, type_ids in wanted]


def _link(store: Store, kind: str, id_: str, type_ids: list[int]) -> tuple[str, str, list[int]]:
    labels = [LABELS[each] for each in type_ids if each in LABELS and LABELS[each].source == kind]
    targets = {label.target for label in labels}
    if len(labels) < len(type_ids) or len(targets) != 1:
        raise bad_associations(f"{type_ids} is no association type from {SINGULAR[kind]}")
    target = targets.pop()
    found = store.alive(target, id_)
    if found is None:
        raise bad_associations(f"{SINGULAR[target]} {id_} does not exist")
    return target, found.id, type_ids


def type_id(spec: Mapping[str, Any]) -> int:
    """The id out of `{associationCategory, associationTypeId}`; only HubSpot's own are known."""
    if spec["associationCategory"] != "HUBSPOT_DEFINED":
        raise bad_associations(f"{spec['associationCategory']} has no such association type")
    number = spec["associationTypeId"]
    if not isinstance(number, int) or isinstance(number, bool):
        raise bad_associations("associationTypeId must be an integer")
    return number


def bad_associations(reason: str) -> Refusal:
    return bad_request(f"one or more associations are not valid: {reason}")

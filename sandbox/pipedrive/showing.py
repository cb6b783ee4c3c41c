"""Records as v2 shows them."""

from collections.abc import Sequence
from typing import Any

from .call import MOST_KEYS, Call
from .refusals import Refusal, invalid
from .settings import Settings
from .store import Item, Record, Store

PERSON = (
    "id", "name", "first_name", "last_name", "owner_id", "org_id", "add_time", "update_time", "emails",
    "phones", "is_deleted", "visible_to", "label_ids", "picture_id",
)  # fmt: skip
CONTACT_SYNC = ("postal_address", "notes", "im", "birthday", "job_title")
ACTIVITY = (
    "id", "subject", "type", "owner_id", "creator_user_id", "is_deleted", "add_time", "update_time",
    "deal_id", "lead_id", "person_id", "org_id", "project_id", "due_date", "due_time", "duration", "busy",
    "done", "marked_as_done_time", "location", "participants", "conference_meeting_client",
    "conference_meeting_url", "conference_meeting_id", "public_description", "priority", "note",
)  # fmt: skip
DEAL = (
    "id", "title", "owner_id", "person_id", "org_id", "pipeline_id", "stage_id", "value", "currency",
    "add_time", "update_time", "stage_change_time", "is_deleted", "is_archived", "status", "probability",
    "lost_reason", "visible_to", "close_time", "won_time", "lost_time", "expected_close_date", "label_ids",
    "origin", "origin_id", "channel", "channel_id", "source_lead_id", "arr", "mrr", "acv",
)  # fmt: skip
ORGANIZATION = (
    "id", "name", "owner_id", "add_time", "update_time", "is_deleted", "visible_to", "address",
    "label_ids", "website", "linkedin", "industry", "annual_revenue", "employee_count",
)  # fmt: skip
SHOWN = {"persons": PERSON, "activities": ACTIVITY, "deals": DEAL, "organizations": ORGANIZATION}
FLAGS = ("busy", "done", "is_archived")
LISTS = ("emails", "phones", "label_ids", "participants")
MARKETING = ("marketing_status", "doi_status")


def view(call: Call, record: Record) -> Item:
    """With what the query asks for."""
    asked = call.names("include_fields")
    if not call.settings.campaigns and set(MARKETING) & set(asked):
        if call.settings.without_campaigns != 200:
            message = "marketing_status needs the Campaigns product"
            raise Refusal(call.settings.without_campaigns, message, "ERR_FORBIDDEN")
        asked = [each for each in asked if each not in MARKETING]
    keys = call.names("custom_fields")
    if len(keys) > MOST_KEYS:
        raise invalid("custom_fields", f"at most {MOST_KEYS} keys are allowed")
    shown = whole(call.store, call.settings, record, keys)
    if call.query.get("include_option_labels"):
        shown["custom_fields"] = _with_labels(call.store, record.kind, shown["custom_fields"])
    if call.query.get("include_labels"):
        shown["labels"] = _labels(call.store, record)
    return shown | included(call.store, record, asked)


def whole(store: Store, settings: Settings, record: Record, keys: Sequence[str] = ()) -> Item:
    """`keys`: of its own fields; without any all of them, null where there is no value."""
    held = record.values
    names = SHOWN[record.kind]
    if record.kind == "persons" and settings.contact_sync:
        names = (*names, *CONTACT_SYNC)
    shown = {name: held.get(name, _empty(name)) for name in names}
    if record.kind == "activities" and settings.participant_flag != "primary":
        shown["participants"] = [
            {"person_id": each["person_id"], settings.participant_flag: each["primary"]}
            for each in shown["participants"]
        ]
    if record.kind == "activities":
        return shown
    own = held.get("custom_fields", {})
    codes = [
        code
        for code, field in store.fields[record.kind].items()
        if field["is_custom_field"] and (not keys or code in keys)
    ]
    return shown | {"custom_fields": {code: own.get(code) for code in codes}}


def _empty(name: str) -> Any:
    if name in FLAGS:
        return False
    return [] if name in LISTS else None


def _with_labels(store: Store, kind: str, own: Item) -> Item:
    return {code: _labelled(store.fields[kind][code], value) for code, value in own.items()}


def _labelled(field: Item, value: Any) -> Any:
    if value is None or field["field_type"] not in ("enum", "set"):
        return value
    labels = {each["id"]: each["label"] for each in field["options"] or []}
    if isinstance(value, list):
        return [{"id": each, "label": labels.get(each, "")} for each in value]
    return {"id": value, "label": labels.get(value, "")}


def _labels(store: Store, record: Record) -> list[Item]:
    options = store.fields[record.kind].get("label_ids", {}).get("options") or []
    chosen = record.values.get("label_ids", [])
    return [{"id": each["id"], "label": each["label"]} for each in options if each["id"] in chosen]


def included(store: Store, record: Record, names: Sequence[str]) -> Item:
    """What is answered only when it is asked for."""
    if not names:
        return {}
    counts = {
        "persons": _of_person,
        "deals": _of_deal,
        "organizations": _of_organization,
        "activities": _of_activity,
    }
    known = counts[record.kind](store, record)
    return {name: known.get(name, 0 if name.endswith("_count") else None) for name in names}


def _of_person(store: Store, record: Record) -> Item:
    held = record.values
    primary, others = store.deals_of(record.id), store.deals_as_participant(record.id)
    activities = list(store.linked("activities", "person_id", record.id))
    kept = {name: held.get(name) for name in ("last_incoming_mail_time", "last_outgoing_mail_time")}
    return {
        **kept,
        **_deals_counted(primary),
        **_activities_counted(activities),
        "participant_open_deals_count": _open(others),
        "participant_closed_deals_count": len(others) - _open(others),
        "marketing_status": held.get("marketing_status") if held.get("emails") else None,
    }


def _deals_counted(deals: list[Record]) -> Item:
    statuses = [each.values["status"] for each in deals]
    return {
        "open_deals_count": statuses.count("open"),
        "closed_deals_count": len(statuses) - statuses.count("open"),
        "won_deals_count": statuses.count("won"),
        "lost_deals_count": statuses.count("lost"),
    }


def _activities_counted(activities: list[Record]) -> Item:
    done = [each.id for each in activities if each.values["done"]]
    undone = [each.id for each in activities if not each.values["done"]]
    return {
        "activities_count": len(activities),
        "done_activities_count": len(done),
        "undone_activities_count": len(undone),
        "last_activity_id": done[-1] if done else None,
        "next_activity_id": undone[0] if undone else None,
    }


def _open(deals: list[Record]) -> int:
    return sum(each.values["status"] == "open" for each in deals)


def _of_deal(store: Store, record: Record) -> Item:
    activities = list(store.linked("activities", "deal_id", record.id))
    return {
        **_activities_counted(activities),
        "participants_count": len(store.persons_of(record)),
        "first_won_time": record.values.get("won_time"),
    }


def _of_organization(store: Store, record: Record) -> Item:
    deals = list(store.linked("deals", "org_id", record.id))
    people = sum(1 for _ in store.linked("persons", "org_id", record.id))
    return _deals_counted(deals) | {"people_count": people}


def _of_activity(store: Store, record: Record) -> Item:
    return {"attendees": record.values.get("attendees", [])}

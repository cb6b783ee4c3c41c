"""What Salesforce itself writes when somebody writes something: names, closed tasks, stages of deals."""

from datetime import datetime
from typing import Any

from ..org.store import Record, Store, Values
from ..settings import Settings


def derived(store: Store, object_: str, values: Values, changes: Values, at: datetime) -> Values:
    """Fields that follow from others. `values`: all of the record's, changed already."""
    match object_:
        case "Lead" | "Contact":
            parts = (values.get("FirstName"), values.get("LastName"))
            return {"Name": " ".join(each for each in parts if each)}
        case "Task":
            return _of_task(store, values, at)
        case "Opportunity":
            return _of_deal(store, values, changes, at)
    return {}


def _of_task(store: Store, values: Values, at: datetime) -> Values:
    closed = _word(store, "TaskStatus", values.get("Status"), "IsClosed")
    done_at = values.get("CompletedDateTime") or at
    who = store.find(values.get("WhoId"), "Contact")
    return {
        "IsClosed": closed,
        "CompletedDateTime": done_at if closed else None,
        "IsHighPriority": _word(store, "TaskPriority", values.get("Priority"), "IsHighPriority"),
        "AccountId": who.get("AccountId") if who else None,
    }


def _word(store: Store, object_: str, value: Any, mark: str) -> bool:
    return any(each.get("ApiName") == value and each.get(mark) for each in store.all(object_))


def _of_deal(store: Store, values: Values, changes: Values, at: datetime) -> Values:
    if "StageName" not in changes:
        return {}
    stage = next(
        each for each in store.all("OpportunityStage") if each.get("ApiName") == values["StageName"]
    )
    made = {
        "IsClosed": bool(stage.get("IsClosed")),
        "IsWon": bool(stage.get("IsWon")),
        "ForecastCategoryName": stage.get("ForecastCategoryName"),
        "LastStageChangeDate": at,
    }
    return made | (
        {} if "Probability" in changes else {"Probability": stage.get("DefaultProbability")}
    )


def follow(store: Store, settings: Settings, record: Record, at: datetime) -> None:
    """Move what hangs on a record that was just written."""
    if record.object == "Task":
        person = store.find(record.get("WhoId"), "Lead", "Contact")
        if person and (record.get("IsClosed") or settings.open_tasks_touch):
            store.set(person, {"LastActivityDate": _last_activity(store, person)}, at)
    if record.object == "OpportunityContactRole" and settings.roles_touch_deals:
        deal = store.find(record.get("OpportunityId"), "Opportunity")
        if deal:
            store.set(deal, {}, at)


def _last_activity(store: Store, person: Record) -> Any:
    """The latest day of a closed task."""
    days = [
        each.get("ActivityDate") or each.get("CompletedDateTime").date()
        for each in store.live_holding("Task", "WhoId", person.id)
        if each.get("IsClosed")
    ]
    return max(days, default=None)

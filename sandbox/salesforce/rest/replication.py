"""`/updated` and `/deleted`: the ids of what changed in a window of time."""

from datetime import datetime, timedelta

from ..call import Answer, Call
from ..org.moments import instant, shown
from ..org.store import Record
from ..refusals import bad

UPDATED_BACK, DELETED_BACK = timedelta(days=30), timedelta(days=15)
MOST_IDS = 600_000


def updated(call: Call) -> Answer:
    start, end = _window(call, UPDATED_BACK)
    found = [each.id for each in _changed(call, start, end) if not each.is_deleted]
    return 200, {"ids": found[:MOST_IDS], "latestDateCovered": shown(end)}


def deleted(call: Call) -> Answer:
    start, end = _window(call, DELETED_BACK)
    found = [
        {"id": each.id, "deletedDate": shown(each.get("SystemModstamp"))}
        for each in _changed(call, start, end)
        if each.is_deleted
    ]
    return 200, {
        "deletedRecords": found[:MOST_IDS],
        "earliestDateAvailable": shown(call.at - DELETED_BACK),
        "latestDateCovered": shown(end),
    }


def _changed(call: Call, start: datetime, end: datetime) -> list[Record]:
    return [
        each
        for each in call.store.all(call.object().name)
        if start <= each.get("SystemModstamp") < end and call.access.sees(each)
    ]


def _window(call: Call, back: timedelta) -> tuple[datetime, datetime]:
    """In whole minutes, and not too long ago."""
    try:
        start, end = (instant(call.query.get(name, "")) for name in ("start", "end"))
    except ValueError:
        raise bad(
            "INVALID_REPLICATION_DATE", "start and end must be date-times with an offset"
        ) from None
    start, end = start.replace(second=0), end.replace(second=0)
    if start < call.at - back or end <= start:
        raise bad("INVALID_REPLICATION_DATE", "startDate is too long ago or not before endDate")
    return start, end

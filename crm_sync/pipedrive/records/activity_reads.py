"""Read activities: by person, by id, or all."""

from collections.abc import Sequence
from dataclasses import replace

from crm_sync.pipedrive.records.activity_fields import parse_activity, people_of_activity
from crm_sync.pipedrive.records.lists import (
    PAGE,
    id_text,
    is_record_id,
    next_page,
    objects_of,
    pages_of,
    records_by_id,
    text_at,
)
from crm_sync.pipedrive.records.whole_lists import WholeLists
from crm_sync.pipedrive.transport.calls import LIST_ACTIVITIES
from crm_sync.pipedrive.transport.client import Json, PipedriveClient
from crm_sync.port import CrmRejected, CrmTask, CrmTaskPage

FROM_START = "-"


def activities_of_persons(
    client: PipedriveClient, whole: WholeLists, record_ids: Sequence[str]
) -> dict[str, list[CrmTask]]:
    """Return all activities by their primary person, done ones too.

    From lists, which show the latest writes, and whatever a person's counts of activities say: it is
    decided by this whether one is made again. docs/pipedrive-facts.md#no-idempotency-key
    """
    asked = list(filter(is_record_id, dict.fromkeys(record_ids)))
    found: dict[str, list[CrmTask]] = {id_: [] for id_ in record_ids}
    everything = whole.read("activities", pages_of(client, LIST_ACTIVITIES), len(asked) - 1)
    if everything is None:
        everything = [
            each
            for id_ in asked
            for page in pages_of(client, LIST_ACTIVITIES, [("person_id", id_)])
            for each in page
        ]
    for item in everything:
        for id_ in people_of_activity(item)[:1]:
            if id_ in found:
                found[id_].append(parse_activity(item))
    return found


def activities_by_id(client: PipedriveClient, task_ids: Sequence[str]) -> dict[str, CrmTask]:
    """Return the activities that exist, by id."""
    found = map(parse_activity, records_by_id(client, LIST_ACTIVITIES, task_ids))
    return {each.task_id: each for each in found}


def list_activities(client: PipedriveClient, marker: str, place: str) -> CrmTaskPage:
    """Return one page of the activities whose note contains `marker`, the latest changed last.

    `place`: since when its list goes, the time of the page's last, and the cursor after that. How long a
    cursor holds is not documented: where it does not, the list goes on from that time.
    """
    since, last, cursor = place.split(" ") if place.count(" ") == 2 else (FROM_START, "", "")
    try:
        found = _page(client, since, cursor)
    except CrmRejected:
        if not cursor:
            raise
        since = last or FROM_START
        found = _page(client, since, "")
    items = objects_of(found)
    tasks = [
        replace(parse_activity(item), record_ids=people_of_activity(item))
        for item in items
        if marker in text_at(item, "note") and item.get("is_deleted") is not True
    ]
    after = next_page(found).replace(" ", "")
    if not after or after == cursor:  # one that stands still is the end
        return CrmTaskPage(tasks, "")
    last = text_at(items[-1], "update_time").replace(" ", "T") if items else last
    return CrmTaskPage(tasks, f"{since} {last} {after}")


def _page(client: PipedriveClient, since: str, cursor: str) -> Json:
    query = [("limit", str(PAGE)), ("sort_by", "update_time"), ("sort_direction", "asc")]
    query += [("updated_since", since)] if since != FROM_START else []
    return client.ask(LIST_ACTIVITIES, query=[*query, *([("cursor", cursor)] if cursor else [])])


def activity_items(client: PipedriveClient, task_ids: Sequence[str]) -> dict[str, Json]:
    found = records_by_id(client, LIST_ACTIVITIES, task_ids)
    return {id_text(each.get("id")): each for each in found}

"""Read tasks: by contact, by id, or all."""

from collections.abc import Sequence
from dataclasses import replace

from crm_sync.hubspot.records.batches import (
    OBJECTS,
    list_field,
    next_cursor,
    object_field,
    read_associations,
    read_records,
)
from crm_sync.hubspot.records.task_fields import READ, parse_task
from crm_sync.hubspot.transport.calls import (
    CONTACTS_OF_TASKS,
    LIST_TASKS,
    READ_TASKS,
    TASKS_OF_CONTACTS,
)
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.port import CrmTask, CrmTaskPage


def tasks_of_contacts(client: HubSpotClient, record_ids: Sequence[str]) -> dict[str, list[CrmTask]]:
    """Return tasks by the contact's record id.

    Read by association, which shows the latest writes, not by search, which lags.
    docs/hubspot-facts.md#association-reads, docs/hubspot-facts.md#search-index-lag
    """
    linked = read_associations(client, TASKS_OF_CONTACTS, record_ids)
    tasks = tasks_by_id(client, [id_ for each in linked.values() for id_ in each])
    return {
        record_id: [tasks[id_] for id_ in found if id_ in tasks]
        for record_id, found in linked.items()
    }


def tasks_by_id(client: HubSpotClient, task_ids: Sequence[str]) -> dict[str, CrmTask]:
    """Return the tasks that exist, by id."""
    found = map(parse_task, read_records(client, READ_TASKS, task_ids, READ))
    return {each.task_id: each for each in found}


def archived_task_ids(client: HubSpotClient, task_ids: Sequence[str]) -> set[str]:
    """Return those ids that were deleted less than 90 days ago; HubSpot forgets older ones.

    docs/hubspot-facts.md#archived-records
    """
    found = read_records(client, READ_TASKS, task_ids, ["hs_object_id"], [("archived", "true")])
    return {str(each.get("id")) for each in found}


def list_tasks(client: HubSpotClient, marker: str, place: str) -> CrmTaskPage:
    """Return one page of the tasks whose body contains `marker`, in the order of ids, from the list.

    Search is not asked: it lags. `place`: where the page begins, "" for the first.
    """
    query = [("limit", str(OBJECTS)), ("associations", "contacts")]
    query += [("properties", name) for name in READ]
    found = client.ask(LIST_TASKS, query=[*query, ("after", place)] if place else query)
    marked = [
        replace(each, record_ids=tuple(_contacts(client, item)))
        for item in list_field(found, "results")
        if marker in (each := parse_task(item)).body
    ]
    after = next_cursor(found)
    return CrmTaskPage(marked, "" if after == place else after)  # one that stands still is the end


def _contacts(client: HubSpotClient, item: Json) -> list[str]:
    """Return the contacts of a listed task. Read them apart where the list is cut.

    docs/hubspot-facts.md#paging
    """
    linked = object_field(object_field(item, "associations"), "contacts")
    if next_cursor(linked):
        id_ = str(item.get("id"))
        return read_associations(client, CONTACTS_OF_TASKS, [id_])[id_]
    # A contact is there once for each type of association.
    return list(dict.fromkeys(str(each.get("id")) for each in list_field(linked, "results")))

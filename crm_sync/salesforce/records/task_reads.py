"""Read tasks: by person, by id, by reference, or all.

docs/salesforce-facts.md#task-fields
"""

from collections.abc import Sequence
from dataclasses import replace

from crm_sync.port import CrmTask, CrmTaskPage
from crm_sync.salesforce.records.ids import full_id, object_of
from crm_sync.salesforce.records.org import Org, with_fresh_fields
from crm_sync.salesforce.records.soql import (
    ROWS,
    Query,
    for_each_part,
    id_literal,
    instant_literal,
    select,
    text_literal,
)
from crm_sync.salesforce.records.successors import present_places
from crm_sync.salesforce.records.task_fields import (
    PERSON,
    REFERENCE,
    TASK,
    read_task,
    task_columns,
)
from crm_sync.salesforce.records.values import read_instant, text_value
from crm_sync.salesforce.transport.client import Json


@with_fresh_fields
def tasks_of_people(org: Org, record_ids: Sequence[str]) -> dict[str, list[CrmTask]]:
    """Return all tasks of people by the id that was asked.

    A conversion and a merge take the tasks along. docs/salesforce-facts.md#conversion
    """
    asked = {id_: full for id_ in record_ids if object_of(full := full_id(id_))}
    moved = present_places(org, set(asked.values())) if asked else {}
    place = {id_: moved.get(full, full) for id_, full in asked.items()}
    found: dict[str, list[CrmTask]] = {}
    for row in _rows(org, PERSON, sorted(set(place.values()))):
        found.setdefault(person_of(row), []).append(read_task(org, row))
    return {id_: found.get(place.get(id_, ""), []) for id_ in record_ids}


@with_fresh_fields
def tasks_by_id(org: Org, task_ids: Sequence[str]) -> dict[str, CrmTask]:
    """Return the tasks that exist, by the id that was asked."""
    asked = {full: id_ for id_ in task_ids if (full := full_id(id_))}
    tasks = [read_task(org, row) for row in _rows(org, "Id", list(asked))]
    return {asked[task.task_id]: task for task in tasks if task.task_id in asked}


@with_fresh_fields
def tasks_by_reference(org: Org, references: Sequence[str]) -> dict[str, CrmTask]:
    """Return the tasks that exist, by reference; none where tasks have none."""
    if REFERENCE not in org.sobject(TASK).columns:
        return {}
    columns = task_columns(org)
    rows = org.all_rows(for_each_part(
        list(references),
        lambda part: select(columns, TASK, f"{REFERENCE} IN {part}", "ORDER BY CreatedDate, Id"),
        text_literal,
    ))  # fmt: skip
    found: dict[str, CrmTask] = {}
    for row in rows:
        found.setdefault(text_value(row.get(REFERENCE)), read_task(org, row))
    return found


@with_fresh_fields
def archived_task_ids(org: Org, task_ids: Sequence[str]) -> set[str]:
    """Return those ids that are in the recycle bin. docs/salesforce-facts.md#recycle-bin"""
    asked = {full: id_ for id_ in task_ids if (full := full_id(id_))}
    rows = org.all_rows(for_each_part(list(asked), lambda part: select(
        ["Id"], TASK, f"Id IN {part} AND IsDeleted = TRUE"
    )), deleted=True)  # fmt: skip
    found = [full_id(str(row.get("Id") or "")) for row in rows]
    return {asked[id_] for id_ in found if id_ in asked}


@with_fresh_fields
def list_tasks_page(org: Org, marker: str, place: str, most: int = ROWS) -> CrmTaskPage:
    """Return a page of the tasks whose text contains `marker`, in the order of their creation.

    The text cannot be searched: those with a reference are read, or where tasks have none, those that
    the integration user has created. `place`: the last task's creation and id.
    """
    ours = (
        f"{REFERENCE} != null"
        if REFERENCE in org.sobject(TASK).columns
        else f"CreatedById = {id_literal(org.user_id)}"
    )
    where = f"{ours}{_beyond(place)}"
    after = f"ORDER BY CreatedDate, Id LIMIT {most}"
    rows = org.rows(Query(select(task_columns(org), TASK, where, after)))
    tasks = [
        replace(read_task(org, row), record_ids=tuple(filter(None, [person_of(row)])))
        for row in rows
    ]
    last = rows[-1] if len(rows) >= most else {}
    return CrmTaskPage(
        [task for task in tasks if marker in task.body],
        f"{last.get('CreatedDate')} {last.get('Id')}" if last else "",
    )


def person_of(row: Json) -> str:
    return full_id(text_value(row.get(PERSON)))


def _beyond(place: str) -> str:
    """Return the condition for what comes after a place; "" for the beginning."""
    created, _, last = place.rpartition(" ")
    at = read_instant(created)
    if at is None or not full_id(last):
        return ""
    instant = instant_literal(at)
    return (
        f" AND CreatedDate >= {instant}"
        f" AND (CreatedDate > {instant} OR Id > {id_literal(full_id(last))})"
    )


def _rows(org: Org, field: str, ids: Sequence[str]) -> list[Json]:
    columns = task_columns(org)
    return org.all_rows(for_each_part(ids, lambda part: select(
        columns, TASK, f"{field} IN {part}", "ORDER BY CreatedDate, Id"
    )))  # fmt: skip

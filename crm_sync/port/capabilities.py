"""Where CRMs differ: the cost of requests, the lag of their index, and the form of a task's text."""

from dataclasses import dataclass
from datetime import timedelta

from crm_sync.port.text import TaskText


@dataclass(frozen=True, slots=True)
class CrmCapabilities:
    """Known without a request. Costs are in the unit of `CrmBudget`.

    `task_text`: the form of a task's text.
    `index_lag`: how late a change usually shows in `changes`; `search_overlap`: how far before the
    last applied change a search begins, well above the lag.
    `changes_at_once`: changes whose contacts are cheapest to read together; `people_at_once`: contacts
    whose deals' ids one request reads, at a cost of `deal_ids_cost`.
    `poll_cost`: of a look for changes that finds none; `definitions_cost`: of reading pipelines, stages and
    reps; `tasks_cost`: of reading a hundred tasks and their contacts.
    `read_cost`: of a hundred contacts with their deals; `write_cost`: of reading a hundred contacts and
    writing those that differ.
    `daily_allowance`: the daily budget of the smallest account, assumed until the CRM reports its own.
    """

    task_text: type[TaskText]
    index_lag: timedelta
    search_overlap: timedelta
    changes_at_once: int
    people_at_once: int
    deal_ids_cost: float
    poll_cost: float
    definitions_cost: float
    tasks_cost: float
    read_cost: float
    write_cost: float
    daily_allowance: int

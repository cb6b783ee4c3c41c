"""State what Pipedrive can do and what it costs, in tokens of the day."""

from datetime import timedelta

from crm_sync.pipedrive.records.activity_fields import PipedriveTaskText
from crm_sync.pipedrive.transport.rate_limit import SMALLEST_DAY
from crm_sync.port import CrmCapabilities

CAPABILITIES = CrmCapabilities(
    task_text=PipedriveTaskText,
    # Lists come from the database or a copy of it, whose lag is not documented.
    # docs/pipedrive-facts.md#changes
    index_lag=timedelta(seconds=30),
    search_overlap=timedelta(minutes=3),
    changes_at_once=100,
    people_at_once=100,
    # Of a hundred people: how many deals they have, and the deals of those who have any.
    deal_ids_cost=130,
    # A page of people and one of deals.
    poll_cost=20,
    # Pipelines, stages, users.
    definitions_cost=30,
    # Of a hundred: the activities, and their people.
    tasks_cost=20,
    # Of a hundred: the people themselves, and the same.
    read_cost=140,
    # Of a hundred: read at once, then written one by one.
    write_cost=510,
    daily_allowance=SMALLEST_DAY,
)

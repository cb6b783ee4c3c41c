"""State what HubSpot can do and what it costs, in requests."""

from datetime import timedelta

from crm_sync.hubspot.records.task_fields import HubSpotTaskText
from crm_sync.port import CrmCapabilities

CAPABILITIES = CrmCapabilities(
    task_text=HubSpotTaskText,
    # "A few moments" by the guide, and seconds to a minute by those who met it; a search begins
    # five times as far back. docs/hubspot-facts.md#search-index-lag
    index_lag=timedelta(minutes=1),
    search_overlap=timedelta(minutes=5),
    # docs/hubspot-facts.md#association-reads
    changes_at_once=1_000,
    people_at_once=1_000,
    deal_ids_cost=1,
    # A search of contacts, and one of deals.
    poll_cost=2,
    # Pipelines, and a page each of reps who are there and who have left.
    definitions_cost=3,
    # Of a hundred: the tasks, and their contacts.
    tasks_cost=2,
    # Of a hundred: their records, a tenth of a batch of associations, their deals.
    read_cost=2.1,
    # Of a hundred: read, then written.
    write_cost=2,
    # docs/hubspot-facts.md#daily-limit
    daily_allowance=250_000,
)

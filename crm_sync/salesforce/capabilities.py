"""State what Salesforce can do and what it costs, in calls."""

from datetime import timedelta

from crm_sync.port import CrmCapabilities
from crm_sync.salesforce.records.task_fields import SalesforceTaskText

CAPABILITIES = CrmCapabilities(
    task_text=SalesforceTaskText,
    # A change shows when its transaction ends: after seconds as a rule, after ten minutes at most.
    # docs/salesforce-facts.md#commit-lag
    index_lag=timedelta(minutes=1),
    search_overlap=timedelta(minutes=11),
    # A query has room for some 400 ids, a call for five queries. docs/salesforce-facts.md#soql-limits
    changes_at_once=400,
    people_at_once=2_000,
    deal_ids_cost=1,
    # Changes of leads and contacts, and of opportunities and their roles, in one call each.
    poll_cost=2,
    # Stages, and users with queues.
    definitions_cost=2,
    # Of a hundred: the tasks, their people, and the opt-outs of those.
    tasks_cost=3,
    # Of a hundred: leads, contacts and their tasks in one call; their addresses' opt-outs; their deals.
    read_cost=3,
    # Of a hundred: read, written, read back.
    write_cost=5,
    # Of a Developer org. docs/salesforce-facts.md#limits
    daily_allowance=15_000,
)

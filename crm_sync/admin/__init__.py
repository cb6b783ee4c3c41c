"""What marketers, reps' managers and ops see of the way to the CRM and back."""

from crm_sync.admin import (
    account,
    deals,
    drifts,
    handoffs,
    mappings,
    on_pages,
    outcomes,
    people,
    reps,
    routing,
    stages,
)
from crm_sync.admin.handoffs import attention_badge

__all__ = [
    "account",
    "attention_badge",
    "deals",
    "drifts",
    "handoffs",
    "mappings",
    "on_pages",
    "outcomes",
    "people",
    "reps",
    "routing",
    "stages",
]

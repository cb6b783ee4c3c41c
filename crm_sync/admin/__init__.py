"""What marketers, reps' managers and ops see of the way to the CRM and back."""

from crm_sync.admin import (
    deals,
    drifts,
    handoffs,
    on_pages,
    outcomes,
    reps,
    routing,
    stages,
    values,
)
from crm_sync.admin.handoffs import attention_badge

__all__ = [
    "attention_badge",
    "deals",
    "drifts",
    "handoffs",
    "on_pages",
    "outcomes",
    "reps",
    "routing",
    "stages",
    "values",
]

"""The admin of the CRM integration, for marketers, sales managers and operators."""

from crm_sync.admin import (
    account,
    deals,
    drift_chart,
    handoffs,
    mappings,
    outcomes,
    people,
    reps,
    routing,
    sections,
    stages,
)
from crm_sync.admin.handoffs import attention_badge

__all__ = [
    "account",
    "attention_badge",
    "deals",
    "drift_chart",
    "handoffs",
    "mappings",
    "outcomes",
    "people",
    "reps",
    "routing",
    "sections",
    "stages",
]

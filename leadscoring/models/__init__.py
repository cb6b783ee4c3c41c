from leadscoring.models.operations import DatabaseIdentity
from leadscoring.models.people import (
    Activity,
    Alias,
    ApiKey,
    Company,
    Contact,
    CrmFreshness,
    CrmState,
    Effect,
    Erased,
    ErasureSalt,
    Lifecycle,
    ProfileChange,
)
from leadscoring.models.scoring import ModelVersion, Score

__all__ = [
    "Activity",
    "Alias",
    "ApiKey",
    "Company",
    "Contact",
    "CrmFreshness",
    "CrmState",
    "DatabaseIdentity",
    "Effect",
    "Erased",
    "ErasureSalt",
    "Lifecycle",
    "ModelVersion",
    "ProfileChange",
    "Score",
]

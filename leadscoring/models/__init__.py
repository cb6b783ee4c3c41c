from leadscoring.models.people import (
    Activity,
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
    "ApiKey",
    "Company",
    "Contact",
    "CrmFreshness",
    "CrmState",
    "Effect",
    "Erased",
    "ErasureSalt",
    "Lifecycle",
    "ModelVersion",
    "ProfileChange",
    "Score",
]

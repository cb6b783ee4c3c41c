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
    FormerAddress,
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
    "FormerAddress",
    "Lifecycle",
    "ModelVersion",
    "ProfileChange",
    "Score",
]

from leadscoring.models.operations import DatabaseIdentity
from leadscoring.models.people import (
    CRM_ID_LENGTH,
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
from leadscoring.models.reader import ReaderTimeZone
from leadscoring.models.scoring import ModelVersion, Score

__all__ = [
    "CRM_ID_LENGTH",
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
    "ReaderTimeZone",
    "Score",
]

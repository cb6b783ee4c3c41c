from leadscoring.models.access_log import AccessEntry
from leadscoring.models.activity_types import TypeCount
from leadscoring.models.forms import Form, FormField
from leadscoring.models.imports import (
    Import,
    ImportChange,
    ImportPart,
    ImportWish,
    RejectedRow,
)
from leadscoring.models.operations import DatabaseIdentity
from leadscoring.models.people import (
    CRM_ID_LENGTH,
    Activity,
    ActivityType,
    Alias,
    ApiKey,
    Company,
    Contact,
    CrmFreshness,
    CrmState,
    Effect,
    Erased,
    ErasureSalt,
    Identifier,
    Lifecycle,
    ProfileChange,
)
from leadscoring.models.reader import ReaderTimeZone
from leadscoring.models.scoring import ModelVersion, Score
from leadscoring.models.search import ContactSearch
from leadscoring.models.sources import NotTaken, Source, SourceCount
from leadscoring.models.visitors import TakenMessage, Visitor, WaitingActivity
from leadscoring.models.websites import Website

__all__ = [
    "CRM_ID_LENGTH",
    "AccessEntry",
    "Activity",
    "ActivityType",
    "Alias",
    "ApiKey",
    "Company",
    "Contact",
    "ContactSearch",
    "CrmFreshness",
    "CrmState",
    "DatabaseIdentity",
    "Effect",
    "Erased",
    "ErasureSalt",
    "Form",
    "FormField",
    "Identifier",
    "Import",
    "ImportChange",
    "ImportPart",
    "ImportWish",
    "Lifecycle",
    "ModelVersion",
    "NotTaken",
    "ProfileChange",
    "ReaderTimeZone",
    "RejectedRow",
    "Score",
    "Source",
    "SourceCount",
    "TakenMessage",
    "TypeCount",
    "Visitor",
    "WaitingActivity",
    "Website",
]

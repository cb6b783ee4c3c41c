"""What bodies and answers look like, for the OpenAPI document."""

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import BaseModel

from leadscoring.api.body import MOST_ITEMS
from leadscoring.intake.validation import ActivityItem, PersonItem


class ErrorOut(Schema):
    code: str
    message: str
    fields: dict[str, str]


class ErrorResponse(Schema):
    error: ErrorOut


class RejectionOut(Schema):
    index: int
    field: str
    message: str


class NothingTakenOut(ErrorResponse):
    rejected: list[RejectionOut]


class ContactsTakenOut(Schema):
    created: int
    updated: int
    unchanged: int
    rejected: list[RejectionOut]


class ActivitiesTakenOut(Schema):
    accepted: int
    duplicates: int
    rejected: list[RejectionOut]


class ScoreFiguresOut(Schema):
    """All null when the contact was never scored."""

    total: float | None
    fit: float | None
    engagement: float | None
    grade: str | None
    at: datetime | None


class OwnerOut(Schema):
    id: str
    name: str
    email: str


class DealOut(Schema):
    id: str
    name: str
    pipeline: str
    stage: str
    effect: str


class CrmOut(Schema):
    """All null when the CRM was never asked for the contact; `record_id` null when it is not there."""

    record_id: str | None
    owner: OwnerOut | None
    effect: Literal["none", "pause", "stop"] | None
    because: str | None
    deals: list[DealOut]
    seen_at: datetime | None


class EnrollmentOut(Schema):
    sequence: str
    state: Literal["active", "paused", "stopped", "finished"]
    because: str
    sent: int
    next_at: datetime | None


class IdentifierOut(Schema):
    """An id of another source than the company itself."""

    source: str
    value: str


class ContactOut(Schema):
    id: int
    email: str | None
    external_id: str | None
    identifiers: list[IdentifierOut]
    first_name: str
    last_name: str
    company: str
    job_title: str
    phone: str
    country: str
    properties: dict[str, Any]
    lifecycle_stage: str
    last_activity_at: datetime | None
    created_at: datetime
    updated_at: datetime
    score: ScoreFiguresOut
    crm: CrmOut
    enrollments: list[EnrollmentOut]
    handoffs: list[dict[str, Any]]


class ModelOut(Schema):
    name: str
    version: int


class ContributionOut(Schema):
    rule: str
    group: str
    points: float
    count: int
    last_at: datetime | None
    because: str


class QualificationOut(Schema):
    """Where the contact stands before or behind the threshold today, whatever the instant."""

    armed: bool
    cycle: int


class ScoreOut(Schema):
    """What the contact was worth at an instant; the contributions add up to the total."""

    total: float
    fit: float
    engagement: float
    grade: str
    at: datetime
    model: ModelOut
    contributions: list[ContributionOut]
    qualification: QualificationOut


ERRORS = dict.fromkeys((401, 403, 404, 422, 429, 500, 503), ErrorResponse)
POST_ERRORS = dict.fromkeys((400, 401, 413, 429, 500, 503), ErrorResponse) | {422: NothingTakenOut}


def _body_schema(item: type[BaseModel]) -> dict[str, Any]:
    """One item or an array of them, as part of the description of a call."""
    one = item.model_json_schema() | {
        "anyOf": [_named(field) for field in ("email", "external_id")]
    }
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_ITEMS}
    content = {"application/json": {"schema": {"oneOf": [one, many]}}}
    return {"requestBody": {"required": True, "content": content}}


def _named(field: str) -> dict[str, Any]:
    return {"required": [field], "properties": {field: {"type": "string", "minLength": 1}}}


PERSON, ACTIVITY = _body_schema(PersonItem), _body_schema(ActivityItem)

"""What bodies and answers look like, for the OpenAPI document."""

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import BaseModel

from leadscoring.api.body import MOST_ITEMS
from leadscoring.checks import ActivityIn, PersonIn


class Error(Schema):
    code: str
    message: str
    fields: dict[str, str]


class ErrorAnswer(Schema):
    error: Error


class Rejected(Schema):
    index: int
    field: str
    message: str


class NothingTaken(ErrorAnswer):
    rejected: list[Rejected]


class ContactsTaken(Schema):
    created: int
    updated: int
    unchanged: int
    rejected: list[Rejected]


class ActivitiesTaken(Schema):
    accepted: int
    duplicates: int
    rejected: list[Rejected]


class ScoreFigures(Schema):
    """All null when the contact was never scored."""

    total: float | None
    fit: float | None
    engagement: float | None
    grade: str | None
    at: datetime | None


class Owner(Schema):
    id: str
    name: str
    email: str


class Deal(Schema):
    id: str
    name: str
    pipeline: str
    stage: str
    effect: str


class Crm(Schema):
    """All null when the CRM was never asked for the contact; `record_id` null when it is not there."""

    record_id: str | None
    owner: Owner | None
    effect: Literal["none", "pause", "stop"] | None
    because: str | None
    deals: list[Deal]
    seen_at: datetime | None


class Enrollment(Schema):
    sequence: str
    state: Literal["active", "paused", "stopped", "finished"]
    because: str
    sent: int
    next_at: datetime | None


class Contact(Schema):
    id: int
    email: str | None
    external_id: str | None
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
    score: ScoreFigures
    crm: Crm
    enrollments: list[Enrollment]
    handoffs: list[dict[str, Any]]


class Model(Schema):
    name: str
    version: int


class Contribution(Schema):
    rule: str
    group: str
    points: float
    count: int
    last_at: datetime | None
    because: str


class Qualification(Schema):
    """Where the contact stands before or behind the threshold today, whatever the instant."""

    armed: bool
    cycle: int


class Score(Schema):
    """What the contact was worth at an instant; the contributions add up to the total."""

    total: float
    fit: float
    engagement: float
    grade: str
    at: datetime
    model: Model
    contributions: list[Contribution]
    qualification: Qualification


ERRORS = dict.fromkeys((401, 404, 422, 429, 500, 503), ErrorAnswer)
POST_ERRORS = dict.fromkeys((400, 401, 413, 429, 500, 503), ErrorAnswer) | {422: NothingTaken}


def body(item: type[BaseModel]) -> dict[str, Any]:
    """One item or an array of them, as part of the description of a call."""
    one = item.model_json_schema()
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_ITEMS}
    content = {"application/json": {"schema": {"oneOf": [one, many]}}}
    return {"requestBody": {"required": True, "content": content}}


PERSON, ACTIVITY = body(PersonIn), body(ActivityIn)

"""What may come in: a person or an activity, checked field by field. Pure; used by all ways in.

The same classes describe the bodies in the OpenAPI document, so that the two cannot differ. Text
must come as text: a number in its place is refused, because a number may have lost digits or
leading zeros on its way. Spaces around a text are taken off, and it is put into NFC.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from leadscoring.common.activity_type import spell_activity_type
from leadscoring.common.email_address import check_email, fold_email

AHEAD = timedelta(minutes=5)  # clocks of senders differ
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
MOST_KEYS, MOST_SIGNS, DEEPEST = 100, 16_384, 5
LARGEST = 2**53  # RFC 7493: beyond it programs no longer agree on a number

# Control signs, halves of characters, and the two line ends of Unicode's own.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# In free properties a text may have lines and tabs.
CONTROL_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
# The sign before an offset that arrives as a space: a plus in a query string that was not escaped.
LOST_PLUS = re.compile(r"([T ]\d\d[\d:.,]*) (\d\d:?\d\d)$")

MESSAGES = {
    "string_type": "must be text (in quotes)",
    "string_unicode": "contains half of a character (a lone surrogate)",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "is empty; leave it out when there is none",
    "extra_forbidden": "is not a field that is known here",
    "missing": "is missing",
    "model_type": "must be an object",
    "invalid_key": "has a field whose name contains half of a character (a lone surrogate)",
}
ITEM = "item"  # what is wrong with no single field is wrong with the item


class InvalidItem(Exception):
    """An item that cannot be taken: which field, and why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


# --- values: each function returns what to store, or raises ValueError with a sentence -----------
def clean_line(text: str) -> str:
    text = unicodedata.normalize("NFC", text.strip(" \t\u00a0"))
    if found := CONTROL.search(text):
        raise ValueError(f"contains the control character U+{ord(found[0]):04X}")
    return text


def check_not_empty(text: str) -> str:
    if not text:
        raise ValueError(MESSAGES["string_too_short"])
    return text


def _max_length(most: int) -> Callable[[str], str]:
    """Bound the stored text: NFC and lower case can make it longer than it came in."""

    def measured(text: str) -> str:
        if len(text) > most:
            raise ValueError(MESSAGES["string_too_long"].format(max_length=most))
        return text

    return measured


def normalize_email(text: str) -> str:
    """Return an e-mail address in its one spelling. Raise ValueError when no mail can go to it."""
    return check_email(clean_line(fold_email(text)))


def _spell_type(text: str) -> str:
    if spelled := spell_activity_type(text):
        return spelled
    raise ValueError("has neither a letter nor a digit" if text else MESSAGES["string_too_short"])


def parse_instant(value: object) -> datetime:
    """Return an ISO 8601 time with its offset, as UTC."""
    if not isinstance(value, str):
        raise ValueError("must be text such as 2026-05-04T10:00:00+02:00")
    try:
        moment = datetime.fromisoformat(LOST_PLUS.sub(r"\1+\2", value.strip()[:40]))
    except ValueError:
        raise ValueError("is not a time such as 2026-05-04T10:00:00+02:00") from None
    if moment.tzinfo is None:
        raise ValueError("has no offset from UTC; write 2026-05-04T10:00:00+02:00 or …Z")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"cannot be in the year {moment.year}") from None
    if moment < EARLIEST:
        raise ValueError("is before 1970")
    return moment


def check_properties(value: object) -> dict[str, Any]:
    """Bound free facts in depth, number and length, to fit a JSON column."""
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    if _count_keys(value, DEEPEST) > MOST_KEYS:
        raise ValueError(f"has more than {MOST_KEYS} keys")
    if len(json.dumps(value, ensure_ascii=False)) > MOST_SIGNS:
        raise ValueError(f"is longer than {MOST_SIGNS} characters as JSON")
    return value


def _count_keys(value: object, levels: int) -> int:
    """Return how many keys a value holds at all depths; raise ValueError for an invalid key or value."""
    if isinstance(value, str):
        if found := CONTROL_IN_TEXT.search(value):
            raise ValueError(f"contains the control character U+{ord(found[0]):04X}")
    elif isinstance(value, (int, float)):
        if not abs(value) <= LARGEST:
            raise ValueError("contains a number beyond 2^53 (send it as text)")
    elif isinstance(value, (dict, list)):
        if levels == 0:
            raise ValueError(f"is nested more than {DEEPEST} deep")
        return _iter_keys(value, levels - 1)
    return 0


def _iter_keys(value: dict[str, Any] | list[Any], levels: int) -> int:
    if isinstance(value, list):
        return sum(_count_keys(item, levels) for item in value)
    if len(value) > MOST_KEYS:
        return len(value)
    for key in value:
        if not 0 < len(key) <= 100 or CONTROL.search(key):
            raise ValueError("has a key that is empty, longer than 100 or with control characters")
    return len(value) + sum(_count_keys(item, levels) for item in value.values())


# --- items ------------------------------------------------------------------------------------
Name = Annotated[
    str, Field(max_length=200), AfterValidator(clean_line), AfterValidator(_max_length(200))
]
Phone = Annotated[
    str, Field(max_length=50), AfterValidator(clean_line), AfterValidator(_max_length(50))
]
Country = Annotated[
    str, Field(max_length=100), AfterValidator(clean_line), AfterValidator(_max_length(100))
]
Identifier = Annotated[
    str,
    Field(min_length=1, max_length=200),
    AfterValidator(clean_line),
    AfterValidator(check_not_empty),
    AfterValidator(_max_length(200)),
]
Source = Annotated[
    str,
    Field(min_length=1, max_length=100),
    AfterValidator(clean_line),
    AfterValidator(check_not_empty),
    AfterValidator(_max_length(100)),
]
IdSource = Annotated[
    str,
    Field(max_length=100),
    AfterValidator(clean_line),
    AfterValidator(str.lower),
    AfterValidator(_max_length(100)),
]
Kind = Annotated[
    str,
    Field(min_length=1, max_length=100),
    AfterValidator(clean_line),
    AfterValidator(_spell_type),
    AfterValidator(_max_length(100)),
]
Address = Annotated[
    str,
    Field(min_length=1, max_length=254, json_schema_extra={"format": "email"}),
    AfterValidator(normalize_email),
    AfterValidator(_max_length(254)),
]
Instant = Annotated[
    datetime,
    PlainValidator(parse_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Properties = Annotated[
    dict[str, Any],
    PlainValidator(check_properties),
    WithJsonSchema({"type": "object", "maxProperties": MOST_KEYS, "additionalProperties": True}),
]


class NamedItem(BaseModel):
    """Who an item is about."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: Address | None = None
    external_id: Identifier | None = None
    id_source: IdSource | None = None

    @property
    def identifier(self) -> tuple[str, str] | None:
        """Return namespace and id; the company's own namespace is ""."""
        return (self.id_source or "", self.external_id) if self.external_id else None


class PersonItem(NamedItem):
    """A person: `email` and/or `external_id`. A field that is left out stays as it is; null or
    an empty text clears it. Properties are merged key by key; null removes a key.

    `id_source`: who counts these ids, if not the company itself (a program's name). Such an id
    changes nobody's address.
    """

    model_config = ConfigDict(title="Person")

    first_name: Name | None = None
    last_name: Name | None = None
    company: Name | None = None
    job_title: Name | None = None
    phone: Phone | None = None
    country: Country | None = None
    properties: Properties | None = None


class ActivityItem(NamedItem):
    """Something a person did: who (`email` or `external_id`), what and when (default: now).

    `event_id` is unique per `source`; without one a repeat cannot be noticed. `source` is the
    API key's name when it is left out. One `type` has one spelling: `Demo Requested` is
    `demo_requested`. `id_source`: who counts these ids, as of a person.
    """

    model_config = ConfigDict(title="Activity")

    type: Kind
    occurred_at: Instant | None = None
    event_id: Identifier | None = None
    source: Source | None = None
    properties: Properties | None = None


In = TypeVar("In", bound=BaseModel)
Item = TypeVar("Item", PersonItem, ActivityItem)


def validate_person(item: object) -> PersonItem:
    return _check_identified(validate_item(PersonItem, item))


def validate_activity(item: object, at: datetime) -> ActivityItem:
    """Return a valid activity; raise InvalidItem. `at`: the present, after which none can have happened."""
    taken = _check_identified(validate_item(ActivityItem, item))
    if taken.occurred_at and taken.occurred_at > at + AHEAD:
        raise InvalidItem("occurred_at", "is in the future")
    return taken


def validate_item(shape: type[In], item: object) -> In:
    try:
        return shape.model_validate(item)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        raise InvalidItem(_error_field(first), _error_message(first)) from None


def _check_identified(item: Item) -> Item:
    if item.email is None and item.external_id is None:
        raise InvalidItem("email", "is missing, and so is external_id: one of them is needed")
    if item.id_source and item.external_id is None:
        raise InvalidItem("id_source", "says whose an id is, but there is no external_id")
    return item


def _error_field(error: ErrorDetails) -> str:
    """Return the field of an error; an unknown one as it was written, without control characters."""
    name = str(error["loc"][0]) if error["loc"] else ITEM
    return CONTROL.sub("\ufffd", name)[:100]


def _error_message(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    return MESSAGES.get(error["type"], error["msg"]).format(**context)

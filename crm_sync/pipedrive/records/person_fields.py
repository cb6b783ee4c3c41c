"""The fields of people: Pipedrive's own and those of the account, which it names itself by a key.

We can choose a field's label alone, which people rename; so a field of ours is found by its label, and
one of choices by its choices too. docs/pipedrive-facts.md#field-keys
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Any

from crm_sync.pipedrive.records.lists import objects_of, pages_of, text_at
from crm_sync.pipedrive.transport.calls import PERSON_FIELDS
from crm_sync.pipedrive.transport.client import Json, PipedriveClient
from crm_sync.port import CrmProperty
from crm_sync.transport.redis_state import RedisState

# Seconds that the fields are known without a request, and that a process knows them without Redis.
# What is refused for a field's sake is read anew at once.
KNOWN_SECONDS = 3600
KNOWN_HERE_SECONDS = 60.0
# docs/pipedrive-facts.md#field-types
OURS = {
    "varchar": "text",
    "varchar_auto": "text",
    "text": "long_text",
    "double": "number",
    "enum": "enumeration",
    "date": "date",
    "phone": "text",
}
# Ours → Pipedrive's. There is no type for a time, nor for yes and no.
TYPES = {
    "number": "double",
    "text": "varchar",
    "long_text": "text",
    "enumeration": "enum",
    "date": "date",
}
# Values that a person has outside its fields; their names are ours.
NAMES = {"name": "Name", "first_name": "First name", "last_name": "Last name"}
CONTACT_DATA = {"email": "E-mail", "phone": "Phone"}
BUILT_IN = {**NAMES, **CONTACT_DATA}
PIPEDRIVES_OWN = {"name", "first_name", "last_name", "email", "emails", "phone", "phones"}


@dataclass(frozen=True, slots=True)
class PersonField:
    """`code`: the key of a field of the account, or Pipedrive's own name. `options`: label by id."""

    code: str
    label: str
    type: str
    custom: bool
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.options.values()))

    def option_id(self, label: str) -> int | None:
        """Return the id of the first option of a label."""
        ids = (id_ for id_, known in self.options.items() if known == label)
        return next((int(id_) for id_ in ids if id_.isdigit()), None)


Fields = Mapping[str, PersonField]


class FieldMemory:
    """Know the account's fields without a request each time, for all processes of a token."""

    def __init__(self, shared: RedisState) -> None:
        self._shared = shared
        self._here: tuple[float, Fields] | None = None
        self._codes: Mapping[str, str] | None = None

    def fields(self, client: PipedriveClient) -> Fields:
        """Return the fields by code, at most an hour old."""
        if self._here and monotonic() - self._here[0] < KNOWN_HERE_SECONDS:
            return self._here[1]
        key = self._shared.key("fields")
        kept = self._shared.ask(lambda redis: redis.get(key))
        try:
            fields = {each["code"]: PersonField(**each) for each in json.loads(str(kept or ""))}
        except (ValueError, TypeError, KeyError):  # nothing there, or of another release
            return self.read(client)
        self._here = monotonic(), fields
        return fields

    def read(self, client: PipedriveClient) -> Fields:
        """Read the fields anew."""
        found = [each for page in pages_of(client, PERSON_FIELDS) for each in page]
        parsed = [_field(each) for each in found if text_at(each, "field_code")]
        fields = {each.code: each for each in parsed}
        self._here = monotonic(), fields
        key, kept = self._shared.key("fields"), json.dumps([asdict(each) for each in parsed])
        self._shared.ask(lambda redis: redis.set(key, kept, ex=KNOWN_SECONDS))
        return fields

    def own(self, fields: Fields, wanted: CrmProperty) -> PersonField | None:
        """Return a field that the product needs (see own_fields.py), whatever people call it by now.

        Its key is kept when it was found once. Without that it is found by its label or its choices.
        """
        code = self._own_codes().get(wanted.name, "")
        found = fields.get(code) or find_field(fields, wanted) or _by_choices(fields, wanted)
        if found and found.code != code:
            self._codes = {**self._own_codes(), wanted.name: found.code}
            key = self._shared.key("own")
            self._shared.ask(lambda redis: redis.hset(key, wanted.name, found.code))
        return found

    def _own_codes(self) -> Mapping[str, str]:
        if self._codes is None:
            key = self._shared.key("own")
            kept: Any = self._shared.ask(lambda redis: redis.hgetall(key))
            self._codes = {str(name): str(code) for name, code in (kept or {}).items()}
        return self._codes

    def forget(self) -> None:
        """Read the fields at the next question: one of them is not as it was."""
        self._here = None
        key = self._shared.key("fields")
        self._shared.ask(lambda redis: redis.delete(key))


def find_field(fields: Fields, wanted: CrmProperty) -> PersonField | None:
    """Return the field that the mapping means: by its key, else the account's first of that label."""
    if wanted.name in fields:
        return fields[wanted.name]
    own = [each for each in fields.values() if each.custom]
    named = (
        each for each in own if each.label == wanted.label or slug_of(each.label) == wanted.name
    )
    return next(named, None)


def slug_of(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")


def account_properties(fields: Fields) -> list[CrmProperty]:
    """Return all that people have there; Pipedrive's own fields are told as read-only."""
    built_in = [CrmProperty(name, label, "text") for name, label in BUILT_IN.items()]
    others = [each for each in fields.values() if each.custom or each.code not in PIPEDRIVES_OWN]
    return [*built_in, *map(_property, others)]


def field_problem(wanted: CrmProperty, found: PersonField) -> str:
    """Return why an existing field cannot take our values, "" when it can."""
    needed = TYPES.get(wanted.type)
    if needed is None:
        return f"Pipedrive has no type for it ({wanted.type.replace('_', ' ')})"
    if found.type != needed:
        return f"it is of the type {found.type} there, and {needed} is needed"
    lacking = [option for option in wanted.options if option not in found.labels]
    return f"it lacks the options {', '.join(lacking)} there" if lacking else ""


def definition_of(wanted: CrmProperty) -> Json:
    """Return the body that creates a field."""
    body: Json = {"field_name": wanted.label, "field_type": TYPES[wanted.type]}
    if wanted.options:
        body["options"] = [{"label": option} for option in wanted.options]
    return body


def _property(found: PersonField) -> CrmProperty:
    writable = found.custom and found.type in OURS
    return CrmProperty(
        name=found.code,
        label=found.label[:200],
        type=OURS.get(found.type, "other"),
        options=found.labels if found.type == "enum" else (),
        labels=found.labels if found.type == "enum" else (),
        read_only=not writable,
    )


def _field(item: Json) -> PersonField:
    options: dict[str, Any] = {
        text_at(each, "id"): text_at(each, "label") for each in objects_of(item, "options")
    }
    return PersonField(
        code=text_at(item, "field_code"),
        label=text_at(item, "field_name") or text_at(item, "field_code"),
        type=text_at(item, "field_type"),
        custom=item.get("is_custom_field") is True,
        options=options,
    )


def _by_choices(fields: Fields, wanted: CrmProperty) -> PersonField | None:
    own = [each for each in fields.values() if each.custom and each.type == "enum"]
    options = set(wanted.options)
    return next((each for each in own if options and options <= set(each.labels)), None)

"""A form that was filled in: its person is identified, and what they did before is theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from leadscoring.common.digest import json_digest
from leadscoring.common.text import bounded_line
from leadscoring.intake import validation
from leadscoring.intake.csv_import.values import addresses_in
from leadscoring.intake.events import store_events
from leadscoring.intake.forms.mapping import MappedForm, Values, map_fields
from leadscoring.intake.rejections import Rejection
from leadscoring.intake.segment import Event, address_of, is_plain_id
from leadscoring.intake.validation import InvalidItem
from leadscoring.intake.wishes import MailWish, keep_wishes
from leadscoring.models import Activity, Form, WaitingActivity

# The same, sent by the same person again within so much time, was sent once.
DOUBLE = timedelta(minutes=10)
LONGEST_WISH = 200
NO_ADDRESS = "is missing, and nothing says who it is"


@dataclass(frozen=True, slots=True)
class Submission:
    """What was filled in, by field. `event_id`, `occurred_at`, `type`: where a service says them.

    `known`: what the service says of a field. `other_names`: names that fields have besides.
    """

    values: Values
    event_id: str = ""
    occurred_at: object = None
    type: str = ""
    known: Mapping[str, str] = field(default_factory=dict)
    other_names: Mapping[str, str] = field(default_factory=dict)


def take_submission(form: Form, given: Submission, at: datetime) -> list[Rejection]:
    """Take what was filled in, once; return what of it was refused.

    A wrong field costs itself, a wrong address the whole. Raise InvalidItem when nothing was taken.
    """
    mapped = map_fields(given.values, form.fields.order_by("pk"), given.known, given.other_names)
    email = _address(mapped)
    visitor = mapped.visitor if is_plain_id(mapped.visitor) else ""
    if not (email or visitor):
        raise InvalidItem(mapped.named.get("email", "email"), NO_ADDRESS)
    profile, refused = _checked_profile(mapped)
    event_id = mapped.event_id or given.event_id or _event_id_of(form, given.values, at)
    activity = {
        "type": given.type or form.activity_type,
        "occurred_at": _moment(mapped.time or given.occurred_at, at).isoformat(),
        "properties": {"form": form.name, **mapped.details},
    }
    track = Event(
        "track",
        event_id if is_plain_id(event_id) else json_digest(event_id),
        email,
        anonymous_id=visitor,
        activity=activity,
    )
    events = {1: track}
    if email:
        told = replace(track, kind="identify", activity=None, profile=profile)
        events = {0: told, 1: track}
    if email and mapped.wishes:  # first: whatever becomes of the rest, a wish is not lost
        said = bounded_line(f"form {form.name}: {mapped.wishes[0]}", LONGEST_WISH)
        keep_wishes([MailWish(email, False, said, at)], at)
    refused += [Rejection(0, one.field, one.message) for one in store_events(events, form.name, at)]
    return refused


def _address(mapped: MappedForm) -> str:
    """Return the one address that was given, "" for none. Raise InvalidItem for what is no address."""
    if not mapped.email:
        return ""
    for found in addresses_in(mapped.email):
        if address := address_of(found):
            return address
    raise InvalidItem(mapped.named["email"], "is not an e-mail address")


def _checked_profile(mapped: MappedForm) -> tuple[dict[str, object], list[Rejection]]:
    """Return those facts of a person that can be stored, and why others cannot."""
    profile: dict[str, object] = {}
    properties: dict[str, object] = {}
    refused = []
    for kept, told in ((profile, mapped.profile), (properties, mapped.properties)):
        for name, value in told.items():
            fact = {name: value} if kept is profile else {"properties": {name: value}}
            try:
                validation.validate_person({"external_id": "x", **fact})
            except InvalidItem as wrong:
                refused.append(Rejection(0, mapped.named.get(name, name), wrong.message))
            else:
                kept[name] = value
    return {**profile, **({"properties": properties} if properties else {})}, refused


def _moment(said: object, at: datetime) -> datetime:
    """Return when it was sent; what cannot be read or is yet to come was sent now."""
    try:
        return min(validation.parse_instant(said), at)
    except ValueError:
        return at


def _event_id_of(form: Form, values: Values, at: datetime) -> str:
    """Return the id of a submission that has none: the same again within DOUBLE is the same one."""
    said = json_digest(values)
    number = int(at.timestamp() // DOUBLE.total_seconds())
    before = {
        "source": form.name,
        "event_id": f"{said}-{number - 1}",
        "received_at__gt": at - DOUBLE,
    }
    known = any(table.objects.filter(**before).exists() for table in (Activity, WaitingActivity))
    return f"{said}-{number - 1 if known else number}"

"""What form services send, as submissions. Pure.

Field by field as their developer pages say it; what is not said there is taken or left out, never believed.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from leadscoring.common.digest import json_digest
from leadscoring.intake.forms.submission import Submission
from leadscoring.intake.validation import InvalidItem
from leadscoring.models import Form, FormField

Becomes = FormField.Becomes
BOOKED, MOVED, CANCELLED = "meeting_booked", "meeting_moved", "meeting_cancelled"
DEEPEST, MOST_LEAVES = 8, 500
Read = Callable[[dict[str, Any], Mapping[str, str]], Submission | None]


def read_submission(kind: str, body: object, headers: Mapping[str, str]) -> Submission | None:
    """Return what was filled in; None for what is none, such as half of a meeting's move. Raise InvalidItem."""
    if not isinstance(body, dict):
        raise InvalidItem("body", "must be an object")
    return READERS[kind](body, headers)


# --- Typeform ---------------------------------------------------------------------------------------
def _typeform(body: dict[str, Any], headers: Mapping[str, str]) -> Submission:
    _expect(body, "event_type", "form_response")
    response = _mapping(body.get("form_response"))
    titles = _titles(response)
    values: dict[str, object] = dict(_mapping(response.get("hidden")))
    known: dict[str, str] = {}
    other_names: dict[str, str] = {}
    for answer in _mappings(response.get("answers")):
        asked = _mapping(answer.get("field"))
        ref = _text(asked.get("ref")) or _text(asked.get("id"))
        name = titles.get(_text(asked.get("id"))) or titles.get(ref) or ref
        name = ref if name in values else name
        kind = _text(answer.get("type"))
        values[name], other_names[ref] = _typeform_value(answer.get(kind)), name
        known |= {name: OF_TYPES[kind]} if kind in OF_TYPES else {}
    event_id = _text(response.get("token")) or _text(body.get("event_id"))
    return Submission(values, event_id, response.get("submitted_at"), "", known, other_names)


def _titles(response: Mapping[str, Any]) -> dict[str, str]:
    """Return the question of each field, by id and by reference."""
    asked = _mappings(_mapping(response.get("definition")).get("fields"))
    return {
        _text(one.get(name)): _text(one.get("title"))[:200]
        for one in asked
        for name in ("ref", "id")
    }


def _typeform_value(value: object) -> object:
    if not isinstance(value, dict):
        return value
    chosen = value.get("labels", value.get("label"))
    other = value.get("other")
    if isinstance(chosen, list):
        return [*chosen, other] if other else chosen
    return chosen or other


# --- Tally ------------------------------------------------------------------------------------------
def _tally(body: dict[str, Any], headers: Mapping[str, str]) -> Submission:
    _expect(body, "eventType", "FORM_RESPONSE")
    data = _mapping(body.get("data"))
    values: dict[str, object] = {}
    known: dict[str, str] = {}
    other_names: dict[str, str] = {}
    for asked in _mappings(data.get("fields")):
        key = _text(asked.get("key"))
        name = _text(asked.get("label")) or key
        name = key if name in values else name
        kind = _text(asked.get("type"))
        values[name], other_names[key] = _tally_value(asked), name
        known |= {name: OF_TYPES[kind]} if kind in OF_TYPES else {}
    ids = (data.get("responseId"), data.get("submissionId"), body.get("eventId"))
    event_id = next(filter(None, map(_text, ids)), "")
    return Submission(values, event_id, data.get("createdAt"), "", known, other_names)


def _tally_value(asked: Mapping[str, Any]) -> object:
    """Return a value; of choices, which are ids, their texts."""
    texts = {_text(one.get("id")): one.get("text") for one in _mappings(asked.get("options"))}
    value = asked.get("value")
    if isinstance(value, list):
        return [texts.get(_text(one), one) for one in value]
    return texts.get(value, value) if isinstance(value, str) else value


# What services call the types of fields -> what they become.
OF_TYPES = {
    "email": Becomes.EMAIL,
    "phone_number": Becomes.PHONE,
    "INPUT_EMAIL": Becomes.EMAIL,
    "INPUT_PHONE_NUMBER": Becomes.PHONE,
}


# --- Calendly ---------------------------------------------------------------------------------------
def _calendly(body: dict[str, Any], headers: Mapping[str, str]) -> Submission | None:
    """Read a meeting that was booked, moved or cancelled.

    Moving one sends that it was cancelled (`rescheduled`) and that another was made (`old_invitee`).
    """
    event = _text(body.get("event"))
    invitee = _mapping(body.get("payload"))
    if event not in ("invitee.created", "invitee.canceled"):
        raise InvalidItem("event", "is neither invitee.created nor invitee.canceled")
    if event == "invitee.canceled" and invitee.get("rescheduled"):
        return None
    type_ = (
        CANCELLED
        if event == "invitee.canceled"
        else MOVED
        if invitee.get("old_invitee")
        else BOOKED
    )
    meeting = _mapping(invitee.get("scheduled_event"))
    cancellation = _mapping(invitee.get("cancellation"))
    values: dict[str, object] = {
        **{_text(one.get("question")): one.get("answer")
           for one in _mappings(invitee.get("questions_and_answers"))},
        **{name: fact for name, fact in _mapping(invitee.get("tracking")).items() if fact},
        **{name: invitee.get(name) for name in PERSON_OF_CALENDLY},
        "meeting": meeting.get("name"), "start_time": meeting.get("start_time"),
        "reason": cancellation.get("reason"), "canceled_by": cancellation.get("canceler_type"),
    }  # fmt: skip
    uri = _text(invitee.get("uri"))
    made = invitee.get("created_at") if type_ != CANCELLED else None
    return Submission(
        values, f"{uri} {event}" if uri else json_digest(body), made or body.get("created_at"), type_,
        PERSON_OF_CALENDLY,
    )  # fmt: skip


PERSON_OF_CALENDLY = {
    "email": Becomes.EMAIL,
    "first_name": Becomes.FIRST_NAME,
    "last_name": Becomes.LAST_NAME,
    "name": Becomes.NAME,
    "text_reminder_number": Becomes.PHONE,
}


# --- Webflow ----------------------------------------------------------------------------------------
def _webflow(body: dict[str, Any], headers: Mapping[str, str]) -> Submission:
    """Read a form of a site. The body names no event: a repeat is known by what it says."""
    _expect(body, "triggerType", "form_submission")
    payload = _mapping(body.get("payload"))
    event_id = _text(payload.get("id")) or json_digest(payload)
    return Submission(_mapping(payload.get("data")), event_id, payload.get("submittedAt"))


# --- any JSON ---------------------------------------------------------------------------------------
def _json(body: dict[str, Any], headers: Mapping[str, str]) -> Submission:
    event_id = headers.get("webhook-id", "") or json_digest(body)
    return Submission(dict(_leaves(body, "", DEEPEST)), event_id)


def _leaves(value: object, path: str, levels: int) -> Iterator[tuple[str, object]]:
    """Yield each value with the way to it, such as `customer.email` or `items.0.name`."""
    if isinstance(value, list) and not any(isinstance(one, (dict, list)) for one in value):
        yield path, value
    elif isinstance(value, (dict, list)):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for name, one in [*inside][:MOST_LEAVES] if levels else ():
            yield from _leaves(one, f"{path}.{name}" if path else str(name), levels - 1)
    else:
        yield path, value


READERS: Mapping[str, Read] = {
    Form.Kind.TYPEFORM: _typeform,
    Form.Kind.TALLY: _tally,
    Form.Kind.CALENDLY: _calendly,
    Form.Kind.WEBFLOW: _webflow,
    Form.Kind.JSON: _json,
}


def _expect(body: Mapping[str, Any], name: str, wanted: str) -> None:
    if body.get(name, wanted) != wanted:
        raise InvalidItem(name, f"is not {wanted}")


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""

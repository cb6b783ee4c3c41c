"""Segment's events as items of ours: who, what and when. Pure.

What clients really send differs: ids as numbers, an empty user id, traits in `context`, the moment as
`timestamp` or `originalTimestamp`. All of it is read here, and nothing else knows of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadscoring.common.activity_type import spell_activity_type
from leadscoring.common.digest import json_digest
from leadscoring.intake import validation
from leadscoring.intake.validation import InvalidItem

TYPES = ("track", "identify", "page", "screen", "group", "alias")
LONGEST_TYPE, LONGEST_ID = 100, 200
MOST_PLAIN, LONGEST_PLAIN = 60, 200  # what is kept of facts that are too many, too long or too deep

# Field of a person -> the traits that tell it; the first that has a value does.
TRAITS = {
    "first_name": ("firstName", "first_name", "firstname"),
    "last_name": ("lastName", "last_name", "lastname"),
    "job_title": ("title", "jobTitle", "job_title"),
    "phone": ("phone",),
    "country": ("country",),
}
OF_A_PERSON = {
    "email",
    "id",
    "name",
    "company",
    "address",
    *(n for ns in TRAITS.values() for n in ns),
}
# Fact of a company, as Segment names it -> our property of the person.
OF_A_COMPANY = {
    "id": "company_id",
    "industry": "industry",
    "employee_count": "company_size",
    "employees": "company_size",
    "plan": "company_plan",
    "website": "company_website",
}
CAMPAIGN = ("source", "medium", "term", "content")


@dataclass(frozen=True, slots=True)
class Event:
    """An event that is well formed. `email`, `user_id`, `anonymous_id`: who; "" for none.

    `activity`: what they did, without whom. `profile`: what it tells of them. `previous_id`: of an alias.
    """

    kind: str
    event_id: str
    email: str = ""
    user_id: str = ""
    anonymous_id: str = ""
    previous_id: str = ""
    activity: Mapping[str, object] | None = None
    profile: Mapping[str, object] = field(default_factory=dict)


def read_event(
    raw: object, kind: str, around: Mapping[str, Any], sent_at: object, at: datetime
) -> Event:
    """Return an event. Raise InvalidItem in the words of its sender.

    `kind`: what its address says it is, "" in a batch. `around`: the batch it came in. `sent_at`: of
    the request. `at`: when it came.
    """
    if not isinstance(raw, dict):
        raise InvalidItem("event", "must be an object")
    kind = kind or str(raw.get("type", ""))[:20].lower()
    if kind not in TYPES:
        raise InvalidItem("type", f"must be one of {', '.join(TYPES)}")
    context = {**_mapping(around.get("context")), **_mapping(raw.get("context"))}
    traits = {**_mapping(context.get("traits")), **_mapping(raw.get("traits"))}
    if kind == "group":  # its own traits are the company's
        traits = _mapping(context.get("traits"))
    user_id = _id(raw, "userId")
    event = Event(
        kind=kind,
        event_id=_event_id(raw),
        email=address_of(user_id) or address_of(traits.get("email")),
        user_id="" if address_of(user_id) else user_id,
        anonymous_id=_id(raw, "anonymousId"),
        previous_id=_id(raw, "previousId") if kind == "alias" else "",
        activity=_activity(kind, raw, context, _moment(raw, sent_at or around.get("sentAt"), at)),
        profile=_profile(kind, raw, traits),
    )
    if kind == "identify" and not (event.email or event.user_id) and traits.get("email"):
        raise InvalidItem("email", "is not an e-mail address")
    if not (event.email or event.user_id or event.anonymous_id):
        raise InvalidItem("userId", "is missing, and so is anonymousId: one of them is needed")
    if kind == "alias" and not event.previous_id:
        raise InvalidItem("previousId", "is missing")
    return event


# --- who ------------------------------------------------------------------------------------------
def _id(raw: Mapping[str, Any], name: str) -> str:
    """Return an id as text, "" for none."""
    value = raw.get(name)
    if value is None or value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise InvalidItem(name, "must be text")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        text = validation.clean_line(str(value))
    except ValueError as wrong:
        raise InvalidItem(name, str(wrong)) from None
    if len(text) > LONGEST_ID:
        raise InvalidItem(name, f"is longer than {LONGEST_ID} characters")
    return text


def address_of(value: object) -> str:
    """Return what is an e-mail address as it is stored, "" for anything else."""
    if not isinstance(value, str) or "@" not in value or len(value) > 254:
        return ""
    try:
        return validation.normalize_email(value)
    except ValueError:
        return ""


def _event_id(raw: Mapping[str, Any]) -> str:
    """Return the message's id; without one, a hash of what it says, so that a repeat is noticed.

    What says nothing of its time may be said twice: it gets no id.
    """
    given = raw.get("messageId")
    if isinstance(given, (str, int)) and not isinstance(given, bool) and str(given).strip():
        text = str(given).strip()
        return text if is_plain_id(text) else _digest(text)
    if raw.get("timestamp") or raw.get("originalTimestamp"):
        return _digest({name: value for name, value in raw.items() if name != "sentAt"})
    return ""


def is_plain_id(text: str) -> bool:
    """Return whether a text can be stored as an id just as it is."""
    return len(text) <= LONGEST_ID and not validation.CONTROL.search(text)


def _digest(said: object) -> str:
    try:
        return json_digest(said)
    except RecursionError:
        raise InvalidItem("event", "is nested too deeply") from None


# --- when -----------------------------------------------------------------------------------------
def _moment(raw: Mapping[str, Any], sent_at: object, at: datetime) -> datetime:
    """Return when it happened by our clock: as long before it came as before it was sent.

    Without the time of sending the sender's clock is believed.
    """
    name = "originalTimestamp" if raw.get("originalTimestamp") else "timestamp"
    if not raw.get(name):
        return at
    try:
        moment = validation.parse_instant(_with_offset(raw[name]))
    except ValueError as wrong:
        raise InvalidItem(name, str(wrong)) from None
    try:
        sent = validation.parse_instant(_with_offset(raw.get("sentAt") or sent_at))
        return at - (sent - moment)
    except (ValueError, OverflowError):
        return moment


def _with_offset(value: object) -> object:
    """Take a time that names no offset for UTC, which is what Segment's clients mean by it."""
    if not isinstance(value, str):
        return value
    try:
        return f"{value}Z" if datetime.fromisoformat(value).tzinfo is None else value
    except ValueError:
        return value


# --- what -----------------------------------------------------------------------------------------
def _activity(
    kind: str, raw: Mapping[str, Any], context: Mapping[str, Any], moment: datetime
) -> dict[str, object] | None:
    if kind not in ("track", "page", "screen"):
        return None
    properties = dict(_mapping(raw.get("properties")))
    if kind == "track":
        type_ = _written_type(raw.get("event"))
    else:
        type_ = {"page": "page_view", "screen": "screen_view"}[kind]
        named = {name: raw[name] for name in ("name", "category") if raw.get(name)}
        properties = {**named, **properties}
    page = _mapping(context.get("page"))
    told = {name: page[name] for name in ("url", "referrer", "title") if page.get(name)}
    campaign = _mapping(context.get("campaign"))
    told |= {f"utm_{name}": campaign[name] for name in CAMPAIGN if campaign.get(name)}
    if campaign.get("name"):
        told["utm_campaign"] = campaign["name"]
    return {
        "type": type_,
        "occurred_at": moment.isoformat(),
        "properties": fit_properties({**told, **properties}),
    }


def activity_type(name: object) -> str:
    """Return the activity type of an event's name: "Demo Requested" and "demo_requested" are one.

    Letters and digits of any script stay.
    """
    if not isinstance(name, str) or not name.strip():
        raise InvalidItem("event", "is missing")
    type_ = spell_activity_type(name[: 4 * LONGEST_TYPE])
    if len(type_) > LONGEST_TYPE:
        type_ = type_[:LONGEST_TYPE].rstrip("_")
    if not type_:
        raise InvalidItem("event", "has no letter and no digit")
    return type_


def _written_type(name: object) -> str:
    """Return an event's name as its sender wrote it; where it cannot be stored so, its type."""
    type_ = activity_type(name)
    line = " ".join(str(name)[: 4 * LONGEST_TYPE].split())
    fits = len(line) <= LONGEST_TYPE and not validation.CONTROL.search(line)
    return line if fits and spell_activity_type(line) == type_ else type_


def fit_properties(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts that have a value; of those that are too many, too long or too deep, the plain ones."""
    given = {name: value for name, value in facts.items() if value is not None}
    try:
        return validation.check_properties(given)
    except ValueError:
        plain = [(name, fit) for name, value in given.items() if (fit := _plain(value)) is not None]
    named = [(name, value) for name, value in plain if _is_sound({name: value})]
    return dict(named[:MOST_PLAIN])


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value[:LONGEST_PLAIN]
    return value if isinstance(value, (bool, int, float)) else None


def _is_sound(fact: dict[str, Any]) -> bool:
    try:
        validation.check_properties(fact)
    except ValueError:
        return False
    return True


# --- what it tells of a person --------------------------------------------------------------------
def _profile(kind: str, raw: Mapping[str, Any], traits: Mapping[str, Any]) -> dict[str, object]:
    """Return the fields of a person and their properties that an event tells."""
    if kind == "group":
        return _company(
            {"name": _id(raw, "groupId"), "id": _id(raw, "groupId"), **_present(raw.get("traits"))}
        )
    if kind != "identify":
        return {}
    told: dict[str, object] = {}
    everything = {**_address(traits), **traits, **_names(traits)}
    for name, spelled in TRAITS.items():
        if text := next((t for t in map(_text, _values(everything, spelled)) if t), ""):
            told[name] = text
    company = traits.get("company")
    told |= _company(company if isinstance(company, dict) else {"name": company})
    own = {name: value for name, value in traits.items() if name not in OF_A_PERSON}
    properties = {**_mapping(told.get("properties")), **own}
    return {**told, **({"properties": properties} if properties else {})}


def _company(facts: Mapping[str, Any]) -> dict[str, object]:
    told = {"company": name} if (name := _text(facts.get("name"))) else {}
    known = {ours: facts[name] for name, ours in OF_A_COMPANY.items() if facts.get(name)}
    return {**told, **({"properties": known} if known else {})}


def _names(traits: Mapping[str, Any]) -> dict[str, str]:
    """Read a name in one piece as first and last name, where these are not told."""
    first, _, last = _text(traits.get("name")).partition(" ")
    parts = {"firstName": first, "lastName": last.strip()}
    told = any(_text(traits.get(n)) for n in (*TRAITS["first_name"], *TRAITS["last_name"]))
    return {} if told else {name: part for name, part in parts.items() if part}


def _address(traits: Mapping[str, Any]) -> dict[str, object]:
    return (
        {"country": country} if (country := _mapping(traits.get("address")).get("country")) else {}
    )


def _values(facts: Mapping[str, Any], names: Iterable[str]) -> Iterable[object]:
    return (facts.get(name) for name in names)


def _text(value: object) -> str:
    """Return a fact that should be text; a telephone number may come as a number."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).strip()


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _present(value: object) -> dict[str, Any]:
    return {name: fact for name, fact in _mapping(value).items() if fact}

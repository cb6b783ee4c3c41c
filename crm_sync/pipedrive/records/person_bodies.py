"""The body that writes a contact's values to a person, and what a refusal of it was about."""

from collections.abc import Mapping

from crm_sync.pipedrive.records.field_values import LONGEST_LINE, json_value, with_primary
from crm_sync.pipedrive.records.lists import text_at
from crm_sync.pipedrive.records.person_fields import CONTACT_DATA, NAMES, Fields
from crm_sync.pipedrive.transport.client import Json
from crm_sync.pipedrive.transport.errors import named_faults
from crm_sync.port import CrmRejected, CrmUnexplained
from leadscoring.common.text import bounded_line

LONGEST_VALUE = 60  # characters, in a sentence
LONGEST_PART = LONGEST_LINE // 2  # of a name: the whole has no more than a line
# The name of a property there, where it is another in a body.
SENT_AS = {"email": "emails", "phone": "phones"}


def person_body(properties: Mapping[str, str], fields: Fields, item: Json) -> Json:
    """Return the body of an update, or of a new person when `item` is {}.

    Raise CrmRejected when values do not fit their fields. `item`: the person as it is, of whose lists
    nothing may be lost.
    """
    body: Json = {
        SENT_AS[name]: with_primary(item, SENT_AS[name], properties[name])
        for name in CONTACT_DATA
        if properties.get(name)
    }
    own: Json = {}
    faults = {}
    for name, text in properties.items():
        if name in NAMES or name in CONTACT_DATA:
            continue
        try:
            if name not in fields:
                raise ValueError("there is no such field in Pipedrive")
            own[name] = json_value(text, fields[name])
        except ValueError as fault:
            faults[name] = f"{fault}{_shown(text)}"
    if faults:
        raise rejected_fields(faults, fields)
    return body | _names(properties, item) | ({"custom_fields": own} if own else {})


def _names(properties: Mapping[str, str], item: Json) -> Json:
    """Return the name, or both its parts: never both in one body, and no part alone.

    docs/pipedrive-facts.md#names
    """
    if not any(properties.get(name) for name in NAMES):
        return {}
    if properties.get("name"):
        return {"name": properties["name"][:LONGEST_LINE]}
    first, last = (
        (properties.get(name) or text_at(item, name))[:LONGEST_PART]
        for name in ("first_name", "last_name")
    )
    return {"first_name": first, "last_name": last} if first and last else {"name": first or last}


def rejected_fields(faults: Mapping[str, str], fields: Fields) -> CrmRejected:
    """Return the error for values at fault. The sentence shows people labels, not keys."""
    labels = {name: fields[name].label if name in fields else name for name in faults}
    listed = "; ".join(f"{labels[name]}: {why}" for name, why in list(faults.items())[:10])
    return CrmRejected(f"Pipedrive does not take the values: {listed}.", faults)


def explained(error: CrmUnexplained, properties: Mapping[str, str], fields: Fields) -> CrmRejected:
    """Return a refusal with the properties that its sentence speaks of."""
    sent = {SENT_AS.get(name, name): name for name in properties}
    found = {
        sent[name]: f"{why}{_shown(properties[sent[name]])}"
        for name, why in named_faults(error, sent).items()
    }
    return rejected_fields(found, fields) if found else error


def _shown(text: str) -> str:
    return f" (it was “{bounded_line(text, LONGEST_VALUE)}”)" if text else ""

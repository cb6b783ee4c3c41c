"""Fields of persons: the account's own have a hash for a name, and a label that anybody may change."""

from hashlib import sha1
from typing import Any

from .call import Answer, Call, data
from .definitions import field
from .lists import answer_rows
from .moments import stamp
from .refusals import capped, invalid, not_found
from .store import Item

WITH_OPTIONS = ("enum", "set")
SPACES = ("ui_visibility", "important_fields", "required_fields")


def page(call: Call) -> Answer:
    return answer_rows(call, [_shown(call, each) for each in call.store.fields["persons"].values()])


def read(call: Call) -> Answer:
    return data(_shown(call, _named(call)))


def create(call: Call) -> Answer:
    """A second field of one name is made, too."""
    sent, known = call.body, call.store.fields["persons"]
    own = sum(each["is_custom_field"] for each in known.values())
    if 0 < call.settings.most_custom_fields <= own:
        raise capped("custom_fields")
    if not sent["field_name"].strip():
        raise invalid("field_name", "must not be empty")
    if (sent["field_type"] in WITH_OPTIONS) != bool(sent.get("options")):
        raise invalid("options", "are for fields of type enum and set, which need some")
    code = _code(call)
    made = field(code, sent["field_name"], sent["field_type"], custom=True)
    made |= {name: {**made[name], **sent[name]} for name in SPACES if name in sent}
    made["options"] = [_option(call, each["label"]) for each in sent.get("options", [])] or None
    known[code] = made
    return data(_shown(call, made))


def _code(call: Call) -> str:
    """The same account gives the same codes, which makes tests repeatable; another gives others."""
    seed = f"{call.store.company_id} {call.store.number('fields')}"
    return sha1(seed.encode(), usedforsecurity=False).hexdigest()


def update(call: Call) -> Answer:
    found = _own(call)
    found |= {name: {**found[name], **call.body[name]} for name in SPACES if name in call.body}
    if "field_name" in call.body:
        found["field_name"] = call.body["field_name"]
    return data(_shown(call, found))


def delete(call: Call) -> Answer:
    """With all its values."""
    found = _own(call)
    del call.store.fields["persons"][found["field_code"]]
    for record in call.store.records["persons"].values():
        record.values["custom_fields"].pop(found["field_code"], None)
    return data(_shown(call, found))


def add_options(call: Call) -> Answer:
    found = _with_options(call)
    added = [_option(call, each["label"]) for each in call.body]
    found["options"] = [*found["options"], *added]
    return data([{"id": each["id"], "label": each["label"]} for each in added])


def _option(call: Call, label: str) -> Item:
    at = stamp(call.at)
    id_ = call.store.number("options")
    return {"id": id_, "label": label, "color": None, "add_time": at, "update_time": at}


def _with_options(call: Call) -> Item:
    found = _own(call)
    if found["field_type"] not in WITH_OPTIONS:
        raise invalid("field_code", "The field has no options")
    return found


def _named(call: Call) -> Item:
    found = call.store.fields["persons"].get(call.args["field_code"])
    if found is None:
        raise not_found("Field")
    return found


def _own(call: Call) -> Item:
    found = _named(call)
    if not found["is_custom_field"]:
        raise invalid("field_code", "Only custom fields can be changed")
    return found


def _shown(call: Call, found: Item) -> dict[str, Any]:
    asked = call.names("include_fields")
    return {name: value for name, value in found.items() if name not in SPACES or name in asked}

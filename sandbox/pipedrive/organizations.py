"""Organizations: made and read. Their names are not unique either."""

from . import custom
from .call import Answer, Call, check_owner, data, one
from .lists import answer_page, wanted
from .refusals import invalid
from .showing import view
from .store import Item


def page(call: Call) -> Answer:
    return answer_page(call, wanted(call, "organizations"))


def read(call: Call) -> Answer:
    return data(view(call, one(call, "organizations")))


def create(call: Call) -> Answer:
    check_owner(call, call.body)
    if not call.body["name"].strip() or len(call.body["name"]) > 255:
        raise invalid("name", "must have from 1 to 255 characters")
    own = custom.checked(call, "organizations", call.body.get("custom_fields", {}))
    first: Item = {"owner_id": call.user_id, "visible_to": 3, "label_ids": []}
    values = first | call.body | {"custom_fields": own}
    return data(view(call, call.store.create("organizations", values, call.at)))

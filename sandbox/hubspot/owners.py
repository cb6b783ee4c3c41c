"""Owners: the reps. Read-only in the API; the pages archive them."""

from .call import Answer, Call, Item
from .refusals import bad_request, not_found

PAGE_LIMIT = 500


def page(call: Call) -> Answer:
    limit, start, address = call.limit(100, PAGE_LIMIT), call.after(), call.text("email").lower()
    found = [
        owner
        for owner in sorted(call.store.owners.values(), key=lambda each: int(each["id"]))
        if owner["archived"] == call.flag("archived")
        and int(owner["id"]) > start
        and address in ("", owner["email"].lower())
    ]
    more = call.next_page(found[limit - 1]["id"]) if len(found) > limit else {}
    return 200, {"results": [view(each) for each in found[:limit]]} | more


def read(call: Call) -> Answer:
    key = call.text("idProperty") or "id"
    if key not in ("id", "userId"):
        raise bad_request("idProperty must be id or userId")
    for owner in call.store.owners.values():
        is_asked = str(owner[key]) == call.args["ownerId"]
        if is_asked and owner["archived"] == call.flag("archived"):
            return 200, view(owner)
    raise not_found()


def view(owner: Item) -> Item:
    """An archived owner's `userId` is null (as its guide says)."""
    return owner | {"userId": None} if owner["archived"] else owner

"""The owners: who takes leads, and who has left."""

from collections import Counter
from typing import Any

from ..moments import iso
from ..refusals import not_found
from .markup import Safe, fill, join
from .visit import Moved, Page, Visit


def team(visit: Visit) -> Page:
    held = Counter(
        each.properties.get("hubspot_owner_id", "") for each in visit.store.live("contacts")
    )
    rows = join(_row(each, held[each["id"]]) for each in visit.store.owners.values())
    return Page("Owners", fill("owners", rows=rows))


def change(visit: Visit) -> Moved:
    owner = visit.store.owners.get(visit.args["id"])
    if owner is None:
        raise not_found("There is no such owner.")
    owner["archived"] = visit.form.get("archived") == "yes"
    owner["updatedAt"] = iso(visit.at)
    return Moved("/owners")


def _row(owner: dict[str, Any], contacts: int) -> Safe:
    gone = owner["archived"]
    return fill(
        "owner_row",
        id=owner["id"],
        user_id=owner["userId"],
        name=f"{owner['firstName']} {owner['lastName']}",
        email=owner["email"],
        contacts=contacts,
        state="archived" if gone else "active",
        archived="" if gone else "yes",
        action="Bring back" if gone else "Archive",
    )

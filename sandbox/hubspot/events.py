"""What an app is told of the CRM: which events, and how each looks. Source: HubSpot's webhooks guide."""

from datetime import UTC, datetime
from typing import Any

from .moments import milliseconds
from .store import SINGULAR, TYPE_IDS

APP_ID = 1_160_452
# What an app of this project subscribes to: verbs, and whose values' changes, by kind.
VERBS = ("creation", "deletion", "restore", "merge", "associationChange", "privacyDeletion")
PROPERTIES = {
    "contacts": (
        "hubspot_owner_id",
        "lifecyclestage",
        "hs_lead_status",
        "email",
        "hs_email_optout",
    ),
    "deals": ("dealstage", "pipeline", "hubspot_owner_id"),
}
# There is no `object.privacyDeletion`.
CLASSIC_ONLY = ("privacyDeletion",)
# These name their records by themselves.
WITHOUT_OBJECT = ("merge", "associationChange")

Event = dict[str, Any]


def is_subscribed(verb: str, kind: str, facts: Event) -> bool:
    if kind not in PROPERTIES:
        return False
    return verb in VERBS or facts.get("propertyName") in PROPERTIES[kind]


def event(
    verb: str, kind: str, id_: str, facts: Event, *, number: int, portal_id: int, generic: bool
) -> Event:
    """`generic`: `object.deletion` with the type's id, for `contact.deletion`."""
    generic = generic and verb not in CLASSIC_ONLY
    told = {
        "eventId": number,
        "subscriptionId": VERBS.index(verb) + 1 if verb in VERBS else 0,
        "portalId": portal_id,
        "appId": APP_ID,
        "occurredAt": milliseconds(datetime.now(UTC)),
        "subscriptionType": f"{'object' if generic else SINGULAR[kind]}.{verb}",
        "attemptNumber": 0,
        "changeSource": "CRM",
    }
    told |= {"objectTypeId": TYPE_IDS[kind]} if generic else {}
    told |= {} if verb in WITHOUT_OBJECT else {"objectId": int(id_)}
    hidden = () if generic else ("fromObjectTypeId", "toObjectTypeId")
    return told | {name: value for name, value in facts.items() if name not in hidden}

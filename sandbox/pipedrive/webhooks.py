"""Webhooks, asked for over the API. v1, and their answers have a form of their own."""

import socket
from urllib.parse import urlsplit

from .call import Answer, Call
from .moments import old_stamp, stamp
from .refusals import bad_webhook
from .store import Item

MOST = 40  # of a user
CONNECT_SECONDS = 2.0
OBJECTS = {
    "persons": "person",
    "deals": "deal",
    "activities": "activity",
    "organizations": "organization",
}


def page(call: Call) -> Answer:
    """With the passwords in clear text, as Pipedrive does."""
    found = [each for each in call.store.webhooks.values() if each["user_id"] == call.user_id]
    return 200, {"status": "ok", "success": True, "data": found}


def create(call: Call) -> Answer:
    sent, known = call.body, call.store.webhooks.values()
    if sum(each["user_id"] == call.user_id for each in known) >= MOST:
        raise bad_webhook("user_id", f"A user has at most {MOST} webhooks", 422)
    if sent.get("version", "2.0") != "2.0":
        raise bad_webhook("version", "Webhooks of version 1.0 are no longer sent")
    if not sent["name"].strip():
        raise bad_webhook("name", "must not be empty")
    if not _is_reachable(sent["subscription_url"]):
        raise bad_webhook("subscription_url", "invalid or non-reachable URL")
    made = _row(call, call.store.number("webhooks"), sent)
    call.store.webhooks[made["id"]] = made
    return 201, {"status": "ok", "success": True, "data": made}


def _row(call: Call, id_: int, sent: Item) -> Item:
    return {
        "id": id_,
        "company_id": call.store.company_id,
        "owner_id": call.user_id,
        "user_id": sent.get("user_id", call.user_id),
        "event_action": sent["event_action"],
        "event_object": sent["event_object"],
        "subscription_url": sent["subscription_url"],
        "version": "2.0",
        "is_active": 1,
        "add_time": old_stamp(stamp(call.at)),
        "remove_time": None,
        "type": "general",
        "http_auth_user": sent.get("http_auth_user"),
        "http_auth_password": sent.get("http_auth_password"),
        "remove_reason": None,
        "last_delivery_time": None,
        "last_http_status": None,
        "admin_id": call.user_id,
        "name": sent["name"],
    }


def _is_reachable(url: str) -> bool:
    """Whether somebody listens there."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS).close()
    except (OSError, ValueError, KeyError):
        return False
    return True


def delete(call: Call) -> Answer:
    if call.store.webhooks.pop(call.args["id"], None) is None:
        raise bad_webhook("id", "Webhook not found", 404)
    return 200, {"status": "ok", "success": True}


def is_wanted(webhook: Item, action: str, kind: str) -> bool:
    return webhook["event_action"] in ("*", action) and webhook["event_object"] in (
        "*",
        OBJECTS[kind],
    )

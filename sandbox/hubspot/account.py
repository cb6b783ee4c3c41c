"""Whose account this is, how much of its day is used, and who is unsubscribed from all mail."""

from datetime import datetime, time, timedelta

from ..server.moments import iso
from .call import Answer, Call
from .refusals import bad_request
from .writes import Claims, commit, plan_update


def details(call: Call) -> Answer:
    return 200, {
        "portalId": call.store.portal_id,
        "accountType": "DEVELOPER_TEST",
        "timeZone": "UTC",
        "companyCurrency": "EUR",
        "additionalCurrencies": [],
        "utcOffset": "+00:00",
        "utcOffsetMilliseconds": 0,
        "uiDomain": call.base.split("://", 1)[-1],
        "dataHostingLocation": "local",
    }


def usage(call: Call) -> Answer:
    midnight = datetime.combine(call.at.date() + timedelta(days=1), time(), call.at.tzinfo)
    row = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": call.settings.daily,
        "currentUsage": call.used_today,
        "collectedAt": iso(call.at),
        "fetchStatus": "SUCCESS",
        "resetsAt": iso(midnight),
    }
    return 200, {"results": [row]}


def unsubscribe_all(call: Call) -> Answer:
    """Whoever has the address as their primary one is opted out; an address of nobody is taken too."""
    if call.text("channel") != "EMAIL":
        raise bad_request("channel must be EMAIL")
    address = call.args["subscriberIdString"].strip().lower()
    local, _, domain = address.rpartition("@")
    if not local or "." not in domain:
        raise bad_request(f"{address} is not a valid email address")
    record = call.store.by_unique("contacts", "email", address)
    if record and record.properties.get("email", "").lower() == address:
        opted_out = plan_update(call.store, record, {"hs_email_optout": "true"}, Claims())
        commit(call.store, opted_out, call.at)
    # Told in full only when `verbose`.
    when = iso(call.at)
    return 200, {"status": "COMPLETE", "results": [], "startedAt": when, "completedAt": when}

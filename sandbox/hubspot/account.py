"""Whose account this is, and how much of its daily allowance is used."""

from datetime import datetime, time, timedelta

from .call import Answer, Call
from .moments import iso


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
    return 200, {
        "results": [
            {
                "name": "private-apps-api-calls-daily",
                "usageLimit": call.settings.daily,
                "currentUsage": call.used_today,
                "collectedAt": iso(call.at),
                "fetchStatus": "SUCCESS",
                "resetsAt": iso(_midnight_after(call.at)),
            }
        ]
    }


def _midnight_after(at: datetime) -> datetime:
    return datetime.combine(at.date() + timedelta(days=1), time(), at.tzinfo)

"""First and last touch: by which campaign, page and link somebody came, as properties that rules can use.

The first touch is the first page view of all, also one from before it was known whose it was. The last
is the latest visit that came from somewhere: by a campaign's link, or from another site. A visit without
either does not hide where they came from before.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from leadscoring.common import bulk_sql
from leadscoring.intake import validation
from leadscoring.intake.people import contacts_by_id, record_profile_changes
from leadscoring.models import Contact

VIEW = "page_view"
CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
FACTS = (*CAMPAIGN, "referrer", "landing_page", "touch_at")
FIRST, LAST = "first", "last"
NAMES = frozenset(f"{which}_{fact}" for which in (FIRST, LAST) for fact in FACTS)
LONGEST_CAMPAIGN, LONGEST_ADDRESS = 200, 500
# Another page view by so long before is of the same visit.
VISIT = timedelta(minutes=30)

EARLIEST = """
    SELECT asked.id, seen.occurred_at, seen.properties::text FROM unnest(%s::bigint[]) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT occurred_at, properties FROM leadscoring_activity
        WHERE contact_id = asked.id AND type = %s ORDER BY occurred_at, id LIMIT 1
    ) AS seen
"""
CONTINUED = """
    SELECT asked.id, asked.at FROM unnest(%s::bigint[], %s::timestamptz[]) AS asked(id, at)
    WHERE EXISTS (
        SELECT FROM leadscoring_activity WHERE contact_id = asked.id AND type = %s
        AND occurred_at >= asked.at - %s AND occurred_at < asked.at
    )
"""


@dataclass(frozen=True, slots=True)
class PageView:
    contact_id: int
    at: datetime
    properties: Mapping[str, Any] = field(hash=False)

    @property
    def by_campaign(self) -> bool:
        return any(self.properties.get(name) for name in CAMPAIGN)

    @property
    def from_elsewhere(self) -> bool:
        return self.by_campaign or bool(_referrer(self.properties))


def record_touches(views: Collection[PageView], at: datetime) -> set[int]:
    """Bring first and last touch up to date after page views were stored; return who has another.

    Views may come late and in any order. The contacts are locked by the caller.
    """
    if not views:
        return set()
    ids = {view.contact_id for view in views}
    known = {
        pk: {FIRST: _instant(first, at), LAST: _instant(last, at)}
        for pk, first, last in Contact.objects.filter(pk__in=ids).values_list(
            "pk", f"properties__{FIRST}_touch_at", f"properties__{LAST}_touch_at"
        )
    }
    firsts = _earlier(views, {pk: touch[FIRST] for pk, touch in known.items()})
    lasts = _later(views, {pk: touch[LAST] for pk, touch in known.items()})
    contacts = contacts_by_id(firsts.keys() | lasts.keys())
    for which, found in ((FIRST, firsts), (LAST, lasts)):
        for pk, view in found.items():
            contacts[pk].properties = _with_touch(contacts[pk].properties, which, view)
            contacts[pk].updated_at = at
    changed = [contacts[pk] for pk in sorted(contacts)]
    bulk_sql.bulk_update(Contact, changed, ("properties", "updated_at"))
    record_profile_changes(changed, at)
    return set(contacts)


def _earlier(
    views: Iterable[PageView], known: Mapping[int, datetime | None]
) -> dict[int, PageView]:
    """Return the first page view of those of whom a view is earlier than what is known."""
    asked = {
        view.contact_id
        for view in views
        if (first := known[view.contact_id]) is None or view.at < first
    }
    rows = bulk_sql.run_statement(EARLIEST, [sorted(asked), VIEW]) if asked else ()
    return {pk: PageView(pk, when, json.loads(told)) for pk, when, told in rows}


def _later(views: Iterable[PageView], known: Mapping[int, datetime | None]) -> dict[int, PageView]:
    """Return, by contact, the latest view with which a visit began later than what is known."""
    came = [
        view
        for view in sorted(views, key=lambda view: view.at)
        if view.from_elsewhere and ((last := known[view.contact_id]) is None or view.at > last)
    ]
    # Some senders repeat the referrer on each page of a visit.
    asked = [view for view in came if not view.by_campaign]
    ids, ats = [view.contact_id for view in asked], [view.at for view in asked]
    rows = bulk_sql.run_statement(CONTINUED, [ids, ats, VIEW, VISIT]) if asked else ()
    continued = set(rows)
    return {
        view.contact_id: view
        for view in came
        if view.by_campaign or (view.contact_id, view.at) not in continued
    }


def merge_touches(kept: Mapping[str, Any], gone: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of two people who are one: the kept one's, the earlier first touch, the later last."""
    together = {**gone, **kept}
    for which, sign in ((FIRST, -1), (LAST, 1)):
        name = f"{which}_touch_at"
        # A stable sort: of two equal ones the kept one's.
        told = [one for one in (gone, kept) if _moment(one.get(name))]
        told.sort(key=lambda one: sign * (_moment(one[name]) or validation.EARLIEST).timestamp())
        if told:
            ours = {f"{which}_{fact}" for fact in FACTS}
            together = {key: value for key, value in together.items() if key not in ours}
            together |= {key: told[-1][key] for key in ours & told[-1].keys()}
    return together


def touch_of(properties: Mapping[str, Any], which: str) -> dict[str, Any]:
    """Return what is known of the first or the last touch, by fact; `touch_at` as a time."""
    told = {fact: properties.get(f"{which}_{fact}") for fact in FACTS}
    told["touch_at"] = _moment(told["touch_at"])
    return {fact: value for fact, value in told.items() if value}


def _with_touch(before: Mapping[str, Any], which: str, view: PageView) -> dict[str, Any]:
    ours = {f"{which}_{fact}" for fact in FACTS}
    kept = {name: value for name, value in before.items() if name not in ours}
    return kept | {f"{which}_{fact}": value for fact, value in _touch(view).items()}


def _touch(view: PageView) -> dict[str, str]:
    told = {
        name: text[:LONGEST_CAMPAIGN]
        for name in CAMPAIGN
        if isinstance(text := view.properties.get(name), str) and text
    }
    told["referrer"] = _referrer(view.properties)
    told["landing_page"] = _without_query(view.properties.get("url"))
    told["touch_at"] = view.at.isoformat()
    return {fact: text for fact, text in told.items() if text}


def _referrer(properties: Mapping[str, Any]) -> str:
    """Return the page of another site that led here, "" for none."""
    there, here = _host(properties.get("referrer")), _host(properties.get("url"))
    inside = f".{there}".endswith(f".{here}") or f".{here}".endswith(f".{there}")
    return _without_query(properties.get("referrer")) if there and not (here and inside) else ""


def _without_query(address: object) -> str:
    """Return an address without what may name a person."""
    if not _host(address):
        return ""
    parts = urlsplit(str(address))
    return f"{parts.scheme}://{parts.hostname}{parts.path}"[:LONGEST_ADDRESS]


def _host(address: object) -> str:
    if not isinstance(address, str):
        return ""
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:  # such as an unclosed bracket of an IPv6 address
        return ""


def _instant(told: object, at: datetime) -> datetime | None:
    """Return the time of a known touch; None for what somebody else wrote there and cannot be one."""
    moment = _moment(told)
    return moment if moment and moment <= at else None


def _moment(told: object) -> datetime | None:
    try:
        return validation.parse_instant(told)
    except ValueError:
        return None

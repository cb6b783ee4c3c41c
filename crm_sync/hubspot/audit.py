"""Check whether a handoff would work now, by cheap requests that change nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from crm_sync.hubspot.records import properties, task_idempotency
from crm_sync.hubspot.records.batches import list_field
from crm_sync.hubspot.transport.calls import (
    ACCOUNT,
    CALLS,
    DEALS_OF_CONTACTS,
    LEAD_STATUS,
    OWNERS,
    PIPELINES,
    PROPERTIES,
    READ_COMPANIES,
    READ_CONTACTS,
    READ_DEALS,
    READ_TASKS,
    UPDATE_CONTACTS,
    UPDATE_TASKS,
    USAGE,
    ApiCall,
)
from crm_sync.hubspot.transport.client import HubSpotClient, Json
from crm_sync.hubspot.transport.errors import MissingScope
from crm_sync.hubspot.transport.versions import DATED
from crm_sync.port import (
    CrmAudit,
    CrmBusy,
    CrmDenied,
    CrmError,
    CrmFlaw,
    CrmMissing,
    CrmProperty,
    CrmRejected,
)

# HubSpot does not say of a token what it is; service keys, private apps and project apps look alike.
# docs/hubspot-facts.md#tokens-and-scopes
KINDS = (
    (r"pat-[a-z0-9]+-.+", "a service key, or the token of a private or project app"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "an API key, which HubSpot ended in 2022"),
    (r".{60,}", "an OAuth access token, which ends after half an hour"),
)
ENDS_SOON_DAYS = 180
NEARLY_USED = 0.9  # of the daily limit
NOBODY: Json = {"inputs": [{"id": "0"}], "properties": [], "propertiesWithHistory": []}
NOTHING: Json = {"inputs": [{"id": "0", "properties": {}, "objectWriteTraceId": "audit"}]}


class Probe(NamedTuple):
    """A request about no record. `stops`: without its scope no lead reaches sales."""

    call: ApiCall
    body: Json | None
    stops: bool


PROBES = (
    Probe(READ_CONTACTS, NOBODY, stops=True),
    Probe(UPDATE_CONTACTS, NOTHING, stops=True),
    Probe(READ_TASKS, NOBODY, stops=True),
    Probe(UPDATE_TASKS, NOTHING, stops=True),
    Probe(OWNERS, None, stops=True),
    Probe(READ_DEALS, NOBODY, stops=True),
    Probe(DEALS_OF_CONTACTS, {"inputs": [{"id": "0"}]}, stops=True),
    Probe(PIPELINES, None, stops=True),
    Probe(LEAD_STATUS, None, stops=False),
    Probe(READ_COMPANIES, NOBODY, stops=False),
)


def audit_account(
    client: HubSpotClient,
    token: str,
    wanted: Sequence[CrmProperty],
    written: Sequence[str],
    at: datetime,
) -> CrmAudit:
    """Return what is known of the account and the token, and every flaw that was found."""
    about: dict[str, object] = {"kind": token_kind(token)}
    flaws = list(_endings(client.version, at.date()))
    try:
        account = client.ask(ACCOUNT)
        about |= {"account": str(account.get("portalId") or "")} | _usage(client)
        about["unique_task_references"] = task_idempotency.has_guard(client)
        flaws += [*_scopes(client), *_properties(client, wanted, written), *_day(about)]
    except CrmDenied as denied:
        flaws.append(CrmFlaw(str(denied), "Mend it in HubSpot or in the settings.", stops=True))
    except CrmError as error:
        fix = "Try again in a while; if it stays, look at status.hubspot.com."
        flaws.append(CrmFlaw(str(error), fix, stops=True))
    return CrmAudit(about, flaws)


def token_kind(token: str) -> str:
    """Return the kind of a token in words, by its form alone."""
    return next((kind for sign, kind in KINDS if re.fullmatch(sign, token)), "of an unknown kind")


def _scopes(client: HubSpotClient) -> Iterator[CrmFlaw]:
    """Yield a flaw for each scope that the token lacks."""
    for probe in PROBES:
        try:
            client.ask(probe.call, probe.body)
        except MissingScope as denied:
            # docs/hubspot-facts.md#rejected-tokens
            scope = " or ".join(denied.scopes) or f"that lets it {probe.call.purpose}"
            yield CrmFlaw(str(denied), f"Give the token the scope {scope}.", probe.stops)
        except (CrmMissing, CrmRejected):
            continue  # HubSpot has nothing to say of a record 0, but it lets us ask


def _properties(
    client: HubSpotClient, wanted: Sequence[CrmProperty], written: Sequence[str]
) -> Iterator[CrmFlaw]:
    """Yield the flaws of written properties.

    None stops handoffs: a property that HubSpot rejects is left out of the write.
    """
    try:
        found = list_field(client.ask(PROPERTIES), "results")
    except MissingScope:
        return
    there = {str(each.get("name")): each for each in found}
    for each in wanted:
        if each.name not in there:
            what = f"The property {each.name} of contacts is not there."
            yield CrmFlaw(what, "Run crm_setup, which makes it.", stops=False)
        elif problem := properties.property_problem(each, there[each.name]):
            what = f"The property {each.name} of contacts: {problem}."
            yield CrmFlaw(what, "Change it in HubSpot, or map to another property.", stops=False)
    others = [name for name in dict.fromkeys(written) if name not in {each.name for each in wanted}]
    for name in others:
        yield from _of_written(name, there)


def _of_written(name: str, there: Mapping[str, Json]) -> Iterator[CrmFlaw]:
    fix = "Change the field mapping in the admin."
    if name not in there:
        yield CrmFlaw(f"The property {name} of contacts is not there.", fix, stops=False)
    elif properties.is_read_only(there[name]):
        yield CrmFlaw(f"The property {name} of contacts is read-only there.", fix, stops=False)


def _usage(client: HubSpotClient) -> dict[str, object]:
    """Return the account's requests of today; {} for OAuth apps, which are not counted.

    docs/hubspot-facts.md#daily-limit
    """
    try:
        found = list_field(client.ask(USAGE), "results")
    except (MissingScope, CrmMissing, CrmBusy):
        return {}
    return {
        "requests_today": sum(_whole(each.get("currentUsage")) for each in found),
        "requests_a_day": max((_whole(each.get("usageLimit")) for each in found), default=0),
    }


def _day(about: Mapping[str, object]) -> Iterator[CrmFlaw]:
    used, allowed = _whole(about.get("requests_today")), _whole(about.get("requests_a_day"))
    if allowed and used > NEARLY_USED * allowed:
        what = f"{used:,} of the account's {allowed:,} requests of today are used."
        yield CrmFlaw(what, "Find out in HubSpot which app uses so many.", stops=False)


def _endings(version: str, day: date) -> Iterator[CrmFlaw]:
    """Yield a flaw for each API version in use whose support ends within ENDS_SOON_DAYS.

    docs/hubspot-facts.md#api-versions
    """
    calls = [call.in_version(version) for call in CALLS]
    for until in sorted({call.until for call in calls}):
        left = (until - day).days
        if left > ENDS_SOON_DAYS:
            continue
        ending = [call for call in CALLS if call.in_version(version).until == until]
        when = f"ends on {until:%-d %B %Y}" if left >= 0 else f"ended on {until:%-d %B %Y}"
        what = f"HubSpot's support for the version that {len(ending)} of our calls use {when}."
        yield CrmFlaw(what, _remedy(ending, until), stops=False)


def _remedy(ending: Sequence[ApiCall], until: date) -> str:
    """Name a later version that this program supports, if it lasts longer for these calls."""
    newest = DATED[-1]
    if any(call.in_version(newest).until > until for call in ending):
        return f"Set HUBSPOT_API_VERSION to {newest} and restart the processes before then."
    return "Update this program before then."


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0

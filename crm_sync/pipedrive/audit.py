"""Check whether a handoff would work now, by cheap requests that change nothing."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from crm_sync.pipedrive.own_fields import OPT_OUT
from crm_sync.pipedrive.records.activity_types import WANTED, active_types
from crm_sync.pipedrive.records.field_set_up import field_of
from crm_sync.pipedrive.records.lists import objects_of, text_at
from crm_sync.pipedrive.records.person_fields import BUILT_IN, Fields, field_problem
from crm_sync.pipedrive.records.persons import PersonReader
from crm_sync.pipedrive.records.webhook_registration import WebhookTarget, missing_webhooks
from crm_sync.pipedrive.transport.calls import (
    LIST_DEALS,
    LIST_ORGANIZATIONS,
    STAGES,
    UPDATE_ACTIVITY,
    UPDATE_PERSON,
    USERS,
    PipedriveCall,
)
from crm_sync.pipedrive.transport.client import Json, PipedriveClient
from crm_sync.pipedrive.transport.errors import NotPermitted
from crm_sync.port import (
    CrmAudit,
    CrmDenied,
    CrmError,
    CrmFlaw,
    CrmMissing,
    CrmProperty,
    CrmRejected,
)

NEARLY_USED = 0.9  # of the day's tokens
NOBODY = "0"  # the id of no record
RUN_SETUP = "Run crm_setup, which makes it."


class PermissionProbe(NamedTuple):
    """A request about no record. `stops`: without its permission no lead reaches sales."""

    call: PipedriveCall
    stops: bool


PROBES = (
    PermissionProbe(UPDATE_PERSON, stops=True),
    PermissionProbe(UPDATE_ACTIVITY, stops=True),
    PermissionProbe(USERS, stops=True),
    PermissionProbe(LIST_DEALS, stops=True),
    PermissionProbe(STAGES, stops=True),
    PermissionProbe(LIST_ORGANIZATIONS, stops=False),
)


def audit_pipedrive(
    reader: PersonReader,
    target: WebhookTarget,
    wanted: Sequence[CrmProperty],
    written: Sequence[str],
) -> CrmAudit:
    """Return what is known of the account and the token, and every flaw that was found."""
    about: dict[str, object] = {"kind": "an API token of one user"}
    flaws: list[CrmFlaw] = []
    try:
        account = reader.account.read(reader.client)
        about |= {"account": text_at(account, "company_id"), "user": text_at(account, "id")}
        about["campaigns"] = reader.campaigns.are_there(reader.client)
        flaws += [
            *_sight(account),
            *_permissions(reader.client),
            *_fields(reader, wanted, written),
            *_kinds(reader.client),
            *_webhooks(reader.client, target),
        ]
        about |= _tokens(reader.client)
        flaws += _day(reader.client)
    except CrmDenied as denied:
        flaws.append(CrmFlaw(str(denied), "Mend it in Pipedrive or in the settings.", stops=True))
    except CrmError as error:
        fix = "Try again in a while; if it stays, look at status.pipedrive.com."
        flaws.append(CrmFlaw(str(error), fix, stops=True))
    return CrmAudit(about, flaws)


def _sight(account: Json) -> Iterator[CrmFlaw]:
    """Yield a flaw when records may be hidden from the token's user, which no answer ever says.

    docs/pipedrive-facts.md#tokens-and-users
    """
    apps = objects_of(account, "access")
    admin = any(each.get("app") == "global" and each.get("admin") is True for each in apps)
    if apps and not admin:
        what = "The token's user is no global admin, so records may be hidden from it."
        fix = "Give the user global admin rights in Pipedrive, or make a token of one who has them."
        yield CrmFlaw(what, fix, stops=False)


def _permissions(client: PipedriveClient) -> Iterator[CrmFlaw]:
    """Yield a flaw for each thing that the token's user may not do."""
    for probe in PROBES:
        body: Json | None = {} if probe.call.method == "PATCH" else None
        query = [("limit", "1")] if probe.call.method == "GET" and probe.call is not USERS else []
        try:
            client.ask(probe.call, body, record_id=NOBODY, query=query)
        except NotPermitted as denied:
            fix = "Give the token's user this permission in Pipedrive."
            yield CrmFlaw(str(denied), fix, probe.stops)
        except (CrmMissing, CrmRejected):
            continue  # Pipedrive has nothing to say of a record 0, but it lets us ask


def _fields(
    reader: PersonReader, wanted: Sequence[CrmProperty], written: Sequence[str]
) -> Iterator[CrmFlaw]:
    """Yield the flaws of written fields. None stops handoffs: what is rejected is left out."""
    fields = reader.memory.read(reader.client)
    for each in wanted:
        found = field_of(reader.memory, fields, each)
        if found is None:
            yield CrmFlaw(f"The field {each.name} of people is not there.", RUN_SETUP, stops=False)
        elif problem := field_problem(each, found):
            what = f"The field {each.name} of people (“{found.label}”): {problem}."
            fix = "Change it in Pipedrive, or map to another field."
            yield CrmFlaw(what, fix, stops=False)
        elif each.name not in fields:
            what = f"The field {each.name} of people is called “{found.label}” there."
            yield CrmFlaw(what, "Run crm_setup, which keeps its key.", stops=False)
    if reader.memory.own(fields, OPT_OUT) is None:
        what = f"The field “{OPT_OUT.label}” of people is not there: opt-outs cannot be told."
        yield CrmFlaw(what, RUN_SETUP, stops=False)
    named = {each.name for each in wanted}
    yield from _written(fields, [name for name in dict.fromkeys(written) if name not in named])


def _written(fields: Fields, names: Sequence[str]) -> Iterator[CrmFlaw]:
    fix = "Change the field mapping in the admin."
    for name in names:
        if name not in fields and name not in BUILT_IN:
            yield CrmFlaw(f"The field {name} of people is not there.", fix, stops=False)
        elif name not in BUILT_IN and not fields[name].custom:
            yield CrmFlaw(f"The field {name} of people is read-only there.", fix, stops=False)


def _kinds(client: PipedriveClient) -> Iterator[CrmFlaw]:
    active = active_types(client)
    if not active:
        what = "The account uses no kind of activity, so none can be made."
        yield CrmFlaw(what, "Switch one on in Pipedrive.", stops=True)
    elif not set(WANTED) & set(active):
        what = f"The account uses none of {', '.join(WANTED)}: activities are of kind {active[0]}."
        yield CrmFlaw(what, "Switch the kind “call” on in Pipedrive.", stops=False)


def _webhooks(client: PipedriveClient, target: WebhookTarget) -> Iterator[CrmFlaw]:
    """Yield a flaw when Pipedrive sends us nothing any more, which it stops after three days of failures.

    docs/pipedrive-facts.md#webhooks
    """
    if target.wanted and (missing := missing_webhooks(client, target)):
        what = f"Pipedrive does not send us the changes of each {' and '.join(missing)}."
        yield CrmFlaw(what, "Run crm_setup, which has it send them.", stops=False)


def _tokens(client: PipedriveClient) -> dict[str, object]:
    budget = client.limiter.budget()
    return {"tokens_today": budget.used_today, "tokens_a_day": budget.allowed_today}


def _day(client: PipedriveClient) -> Iterator[CrmFlaw]:
    budget = client.limiter.budget()
    used, allowed = budget.used_today or 0, budget.allowed_today or 0
    if allowed and used > NEARLY_USED * allowed:
        what = f"{used:,} of the company's {allowed:,} tokens of today are used."
        fix = "Look which integration uses them; the rest is kept for fresh leads."
        yield CrmFlaw(what, fix, stops=False)

"""Check whether a handoff would work now, by cheap requests that change nothing."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from crm_sync.port import (
    CrmAudit,
    CrmDenied,
    CrmError,
    CrmFlaw,
    CrmProperty,
)
from crm_sync.salesforce.records.deals import OPPORTUNITY, ROLE
from crm_sync.salesforce.records.ids import CONTACT, LEAD, full_id
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.records.organization import read_organization
from crm_sync.salesforce.records.people import NAMES_ON_LEAD, OPT_OUT, field_name
from crm_sync.salesforce.records.properties import is_writable, known_name
from crm_sync.salesforce.records.set_up import (
    PEOPLE_OBJECTS,
    PERMISSION_LABEL,
    missing_objects,
    property_problem,
)
from crm_sync.salesforce.records.soql import Query, id_literal, select, text_literal
from crm_sync.salesforce.records.task_fields import TASK, keeps_references_unique
from crm_sync.salesforce.transport.calls import VERSIONS
from crm_sync.salesforce.transport.versions import support_ends

ENDS_SOON_DAYS = 180
NEARLY_USED = 0.9  # of the day's calls
# What we fill in ourselves, or Salesforce does, when a record is created.
FILLED = {
    LEAD: ("LastName", "Company", "Email", "Status", "OwnerId"),
    TASK: ("Subject", "Status", "Priority", "OwnerId", "WhoId", "ActivityDate"),
}
PERMIT = "Give the integration user's permission set {what} (docs/salesforce.md)."


class Needed(NamedTuple):
    """What the integration user needs to do with an object. `stops`: no lead reaches sales without it."""

    sobject: str
    action: str  # a flag of a described object
    words: str
    stops: bool = True


NEEDS = (
    Needed(LEAD, "queryable", "read leads"),
    Needed(LEAD, "createable", "create leads"),
    Needed(LEAD, "updateable", "change leads"),
    Needed(CONTACT, "queryable", "read contacts"),
    Needed(CONTACT, "updateable", "change contacts"),
    Needed(TASK, "queryable", "read tasks"),
    Needed(TASK, "createable", "create tasks"),
    Needed(TASK, "updateable", "change tasks"),
    Needed(TASK, "deletable", "delete tasks", stops=False),
    Needed(OPPORTUNITY, "queryable", "read opportunities"),
    Needed(ROLE, "queryable", "read the contact roles of opportunities"),
    Needed("User", "queryable", "read users"),
    Needed("Account", "queryable", "read accounts, for the owner of a contact's company", stops=False),
)  # fmt: skip


def audit_org(
    org: Org, wanted: Sequence[CrmProperty], written: Sequence[str], at: datetime
) -> CrmAudit:
    """Return what is known of the org and the integration user, and every flaw that was found."""
    about: dict[str, object] = {"kind": "client credentials of an external client app"}
    flaws = list(_ending(org.client.version, at.date()))
    try:
        organization = read_organization(org)
        about |= {"account": organization.account.id, "edition": organization.edition}
        about |= {"sandbox": organization.is_sandbox, "user": org.user_id}
        org.schema.forget()
        flaws += [*_version(org), *_permissions(org), *_visibility(org)]
        about["unique_task_references"] = keeps_references_unique(org)
        flaws += [*_required(org), *_encrypted(org), *_properties(org, wanted, written)]
        flaws += [*_opting_out(org), *_day(org)]
    except CrmDenied as denied:
        flaws.append(CrmFlaw(str(denied), "Mend it in Salesforce or in the settings.", stops=True))
    except CrmError as error:
        fix = "Try again in a while; if it stays, look at status.salesforce.com."
        flaws.append(CrmFlaw(str(error), fix, stops=True))
    return CrmAudit(about, flaws)


def _ending(version: str, day: date) -> Iterator[CrmFlaw]:
    """Yield a flaw when support for the version ends within ENDS_SOON_DAYS."""
    until = support_ends(version)
    left = (until - day).days
    if left <= ENDS_SOON_DAYS:
        what = f"Salesforce's support for version {version} is sure until {until:%-d %B %Y} only."
        fix = "Update this program, or set SALESFORCE_API_VERSION to a later version, before then."
        yield CrmFlaw(what, fix, stops=False)


def _version(org: Org) -> Iterator[CrmFlaw]:
    """Yield a flaw when the org does not have the version. Listing them costs no call."""
    listed = [
        str(each.get("version")) for each in org.client.ask(VERSIONS) if isinstance(each, dict)
    ]
    if listed and org.client.version not in listed:
        what = f"The org has no version {org.client.version} of its interface: its newest is {listed[-1]}."
        yield CrmFlaw(what, "Set SALESFORCE_API_VERSION to one that it has.", stops=True)


def _permissions(org: Org) -> Iterator[CrmFlaw]:
    """Yield a flaw for everything that the integration user may not do, as the org describes it."""
    for need in NEEDS:
        if not getattr(org.sobject(need.sobject), need.action):
            what = f"The integration user may not {need.words}."
            yield CrmFlaw(what, PERMIT.format(what=f"the right to {need.words}"), need.stops)


def _visibility(org: Org) -> Iterator[CrmFlaw]:
    """Yield a flaw when records may be hidden from us: one that is not shared looks like a deleted one.

    docs/salesforce-facts.md#sharing
    """
    seen = (LEAD, CONTACT, OPPORTUNITY)
    ours = f"SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {id_literal(full_id(org.user_id))}"  # noqa: S608
    objects = ", ".join(map(text_literal, seen))
    columns = ["SobjectType", "PermissionsViewAllRecords", "Parent.PermissionsViewAllData"]
    where = f"SobjectType IN ({objects}) AND ParentId IN ({ours})"
    rows = org.rows(Query(select(columns, "ObjectPermissions", where), optional=True))
    if not rows:
        return
    if any(
        isinstance(p := row.get("Parent"), dict) and p.get("PermissionsViewAllData") for row in rows
    ):
        return
    all_seen = {row.get("SobjectType") for row in rows if row.get("PermissionsViewAllRecords")}
    for sobject in seen:
        if sobject not in all_seen:
            what = f"The integration user may see only those {sobject} records that are shared with it: others look deleted."
            yield CrmFlaw(what, PERMIT.format(what=f"“View All Records” of {sobject}"), stops=False)


def _required(org: Org) -> Iterator[CrmFlaw]:
    """Yield a flaw for each field without which the org creates no lead or task, and that we do not fill."""
    for sobject, filled in FILLED.items():
        for column in org.sobject(sobject).columns.values():
            if column.needed and column.name not in filled and column.type != "boolean":
                what = f"The org requires the field {column.name} of each new {sobject.lower()}."
                fix = "Give it a default value, or map a value to it."
                yield CrmFlaw(what, fix, stops=True)


def _encrypted(org: Org) -> Iterator[CrmFlaw]:
    """Yield a flaw where people cannot be found by address. docs/salesforce-facts.md#encrypted-fields"""
    for sobject in PEOPLE_OBJECTS:
        email = org.sobject(sobject).columns.get("Email")
        if org.sobject(sobject).queryable and not (email and email.filterable):
            what = f"Nobody can be found by address: the field Email of {sobject} is hidden or encrypted."
            fix = "Let the integration user see it, or encrypt it deterministically."
            yield CrmFlaw(what, fix, stops=True)


def _properties(
    org: Org, wanted: Sequence[CrmProperty], written: Sequence[str]
) -> Iterator[CrmFlaw]:
    """Yield the flaws of written fields. None stops handoffs: what is refused is left out."""
    for each in wanted:
        lacking = missing_objects(org, each.name)
        if problem := property_problem(org, each):
            what = f"The field {each.name} of leads and contacts: {problem}."
            yield CrmFlaw(what, "Change it in Salesforce, or map to another field.", stops=False)
        elif lacking:
            where = " and ".join(f"{sobject.lower()}s" for sobject in lacking)
            what = f"The field {each.name} of {where} is not there, or not shown to the integration user."
            fix = f"Run crm_setup, or put it into the permission set “{PERMISSION_LABEL}”."
            yield CrmFlaw(what, fix, stops=False)
    ours = {each.name for each in wanted}
    for name in dict.fromkeys(written):
        if name not in ours:
            yield from _of_written(org, name)


def _of_written(org: Org, name: str) -> Iterator[CrmFlaw]:
    fix = "Change the field mapping in the admin."
    columns = [
        column
        for sobject in PEOPLE_OBJECTS
        for there in [org.sobject(sobject).columns]
        if (
            column := there.get(
                field_name(sobject, known_name(name, {*there, *NAMES_ON_LEAD.values()}))
            )
        )
    ]
    if not columns:
        what = f"The field {name} of leads and contacts is not there, or not shown to the integration user."
        yield CrmFlaw(what, fix, stops=False)
    elif not any(map(is_writable, columns)):
        yield CrmFlaw(
            f"The field {name} of leads and contacts is read-only there.", fix, stops=False
        )


def _opting_out(org: Org) -> Iterator[CrmFlaw]:
    columns = [org.sobject(sobject).columns.get(OPT_OUT) for sobject in PEOPLE_OBJECTS]
    if not all(column and column.updateable for column in columns):
        what = f"Who unsubscribes here is not told to Salesforce: {OPT_OUT} is not ours to change."
        yield CrmFlaw(
            what, PERMIT.format(what=f"the field {OPT_OUT} of leads and contacts"), stops=False
        )


def _day(org: Org) -> Iterator[CrmFlaw]:
    budget = org.client.limiter.budget()
    used, allowed = budget.used_today, budget.allowed_today
    if used and allowed and used > NEARLY_USED * allowed:
        what = f"{used:,} of the org's {allowed:,} calls of 24 hours are used."
        yield CrmFlaw(what, "Find out in Salesforce which program uses so many.", stops=False)

"""Create the fields that are ours, and let the integration user see them.

A field that is made over the interface is seen by nobody, its maker included, until a permission set
names it. Who may not do either is told what an administrator has to make.
docs/salesforce-facts.md#custom-fields, docs/salesforce-facts.md#field-permissions
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_sync.port import CrmDenied, CrmError, CrmMissing, CrmProperty, CrmRejected, SetUpStep
from crm_sync.salesforce.records.ids import CONTACT, LEAD, full_id
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.records.people import LIFECYCLE, LIFECYCLE_FIELD
from crm_sync.salesforce.records.properties import is_writable, known_name, property_type
from crm_sync.salesforce.records.rows import Row, write_rows
from crm_sync.salesforce.records.schema import Column
from crm_sync.salesforce.records.soql import Query, id_literal, select, text_literal
from crm_sync.salesforce.records.task_fields import REFERENCE, TASK, keeps_references_unique
from crm_sync.salesforce.transport.calls import (
    ASSIGN_PERMISSION_SET,
    CREATE_FIELD,
    CREATE_FIELD_PERMISSIONS,
    CREATE_PERMISSION_SET,
    TOOLING_QUERY,
)
from crm_sync.salesforce.transport.client import Json

PERMISSION_SET, PERMISSION_LABEL = "Lead_Scoring", "Lead scoring"
PEOPLE_OBJECTS = (LEAD, CONTACT)
ACTIVITY = "Activity"  # what a task's own fields are defined on
STAGE = CrmProperty(LIFECYCLE_FIELD, "Lifecycle stage", "enumeration", tuple(LIFECYCLE.values()))
GUARD_STEP = f"Create the field {REFERENCE} of tasks, which keeps a task from being made twice"
WITHOUT_GUARD = "This org cannot keep task references unique ({why}): tasks are looked for before they are made again"
PERMISSION_STEP = f"Create the permission set “{PERMISSION_LABEL}” with our fields, and give it to the integration user"
BY_HAND = "an administrator has to do it, see docs/salesforce.md ({why})"
SIZES: dict[str, Json] = {
    "number": {"type": "Number", "precision": 10, "scale": 2},
    "text": {"type": "Text", "length": 255},
    "long_text": {"type": "LongTextArea", "length": 32_768, "visibleLines": 6},
    "datetime": {"type": "DateTime"},
    "date": {"type": "Date"},
}
# A field of that name is there already, as after a silence.
THERE_ALREADY = ("DUPLICATE_DEVELOPER_NAME", "already", "DUPLICATE_VALUE")


@dataclass(slots=True)
class FieldPlan:
    """A field that set-up creates. `sobjects`: where it is lacking or not shown."""

    name: str
    sobjects: tuple[str, ...]
    metadata: Json = field(default_factory=dict)


def set_up_org(org: Org, wanted: Sequence[CrmProperty], *, plan: bool) -> list[SetUpStep]:
    """Create what is missing; report what is there and unfit, and leave it alone."""
    _describe(org)
    steps = list(_unfit(org, wanted))
    plans = [plan_ for each in (*wanted, STAGE) if (plan_ := _plan(org, each))]
    guard = _guard_plan(org)
    if (plans or guard) and not _has_permission_set(org):
        steps.append(SetUpStep(PERMISSION_STEP, "" if plan else _make_permission_set(org)))
    named = {known_name(each.name, ()): each for each in (*wanted, STAGE)}
    for each in plans:
        steps.append(_field_step(org, named[each.name], each, plan=plan))
    steps += _guard_steps(org, guard, plan=plan)
    if not plan:
        _describe(org)
    return steps


def property_problem(org: Org, wanted: CrmProperty) -> str:
    """Return why a property that is there cannot take our values, "" when it can or is not there."""
    for sobject in PEOPLE_OBJECTS:
        columns = org.sobject(sobject).columns
        column = columns.get(known_name(wanted.name, columns))
        if column and (why := _column_problem(wanted, column)):
            return why
    return ""


def missing_objects(org: Org, name: str) -> list[str]:
    """Return which of leads and contacts lack a property, or do not show it to us."""
    return [
        sobject
        for sobject in PEOPLE_OBJECTS
        if known_name(name, columns := org.sobject(sobject).columns) not in columns
    ]


def _describe(org: Org) -> None:
    org.schema.forget()
    for sobject in (*PEOPLE_OBJECTS, TASK):
        org.schema.described(org.client, sobject)


def _column_problem(wanted: CrmProperty, column: Column) -> str:
    there = property_type(column)
    if there != wanted.type:
        return (
            f"it is of the type {column.type} there, and {wanted.type.replace('_', ' ')} is needed"
        )
    if not is_writable(column):
        return "the integration user may not change it"
    lacking = [option for option in wanted.options if option not in column.options]
    return f"it lacks the options {', '.join(lacking)} there" if lacking else ""


def _unfit(org: Org, wanted: Sequence[CrmProperty]) -> Iterator[SetUpStep]:
    for each in (*wanted, STAGE):
        if why := property_problem(org, each):
            yield SetUpStep(f"Use the field {each.name}", why)


def _plan(org: Org, wanted: CrmProperty) -> FieldPlan | None:
    lacking = missing_objects(org, wanted.name)
    if not lacking or property_problem(org, wanted):
        return None
    return FieldPlan(known_name(wanted.name, ()), tuple(lacking), _metadata(wanted))


def _guard_plan(org: Org) -> FieldPlan | None:
    if REFERENCE in org.sobject(TASK).columns:
        return None
    label, text = "Lead handoff reference", {"type": "Text", "length": 40}
    unique = {"externalId": True, "unique": True, "caseSensitive": True}
    return FieldPlan(REFERENCE, (ACTIVITY,), {"label": label, **text, **unique})


def _metadata(wanted: CrmProperty) -> Json:
    description = {"description": "Kept by lead scoring."}
    if wanted.type == "enumeration":
        values = [
            {"fullName": option, "label": option, "default": False} for option in wanted.options
        ]
        definition = {"sorted": False, "value": values}
        choice = {"restricted": False, "valueSetDefinition": definition}
        return {"label": wanted.label, "type": "Picklist", "valueSet": choice} | description
    return {"label": wanted.label} | SIZES[wanted.type] | description


def _field_step(org: Org, wanted: CrmProperty, planned: FieldPlan, *, plan: bool) -> SetUpStep:
    where = " and ".join(f"{sobject.lower()}s" for sobject in planned.sobjects)
    kind = wanted.type.replace("_", " ")
    what = f"Create the field {planned.name} of {where} ({wanted.label}, {kind})"
    problem = "" if plan else _make_field(org, planned)
    return SetUpStep(what, problem, wanted.name, planned.name)


def _guard_steps(org: Org, planned: FieldPlan | None, *, plan: bool) -> list[SetUpStep]:
    """Make tasks' reference unique where the org takes that; filterable at least where it does not.

    An org that takes neither needs no action: without it tasks are looked for.
    docs/salesforce-facts.md#unique-task-reference
    """
    if planned is None:
        if keeps_references_unique(org):
            return []
        why = f"its field {REFERENCE} is there, but not unique, or not ours to write"
        return [SetUpStep(WITHOUT_GUARD.format(why=why))]
    if plan:
        return [SetUpStep(GUARD_STEP)]
    problem = _make_field(org, planned)
    if not problem:
        return [SetUpStep(GUARD_STEP)]
    planned.metadata |= {"unique": False}
    _make_field(org, planned)
    return [SetUpStep(WITHOUT_GUARD.format(why=problem))]


def _make_field(org: Org, planned: FieldPlan) -> str:
    """Create a field where it is lacking and let us see it; return why that is not possible."""
    try:
        hidden = _hidden_fields(org)
        for sobject in planned.sobjects:
            if (sobject, planned.name) not in hidden:
                _create_field(org, f"{sobject}.{planned.name}", planned.metadata)
        return _permit(org, planned)
    except (CrmRejected, CrmMissing, CrmDenied) as refused:
        return BY_HAND.format(why=str(refused).rstrip("."))


def _create_field(org: Org, full_name: str, metadata: Json) -> None:
    try:
        org.client.ask(CREATE_FIELD, {"FullName": full_name, "Metadata": metadata})
    except CrmRejected as refused:
        if not any(sign in str(refused) for sign in THERE_ALREADY):
            raise


def _hidden_fields(org: Org) -> set[tuple[str, str]]:
    """Return the custom fields that are there, also those that we may not see: (object, name)."""
    objects = ", ".join(map(text_literal, (*PEOPLE_OBJECTS, ACTIVITY)))
    query = select(
        ["Id", "DeveloperName", "TableEnumOrId"], "CustomField", f"TableEnumOrId IN ({objects})"
    )
    rows = org.client.ask(TOOLING_QUERY, query=[("q", query)]).get("records")
    return {
        (str(row.get("TableEnumOrId")), f"{row.get('DeveloperName')}__c")
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    }


def _permission_set_id(org: Org) -> str:
    where = f"Name = {text_literal(PERMISSION_SET)}"
    rows = org.rows(Query(select(["Id"], "PermissionSet", where), optional=True))
    return next((full_id(str(row.get("Id") or "")) for row in rows), "")


def _has_permission_set(org: Org) -> bool:
    set_id = _permission_set_id(org)
    return bool(set_id) and _is_assigned(org, set_id)


def _is_assigned(org: Org, set_id: str) -> bool:
    where = f"PermissionSetId = {id_literal(set_id)} AND AssigneeId = {id_literal(full_id(org.user_id))}"
    return bool(org.rows(Query(select(["Id"], "PermissionSetAssignment", where), optional=True)))


def _make_permission_set(org: Org) -> str:
    """Create the permission set and assign it to ourselves; return why that is not possible."""
    try:
        set_id = _permission_set_id(org)
        if not set_id:
            body = {"Name": PERMISSION_SET, "Label": PERMISSION_LABEL}
            set_id = full_id(str(org.client.ask(CREATE_PERMISSION_SET, body).get("id") or ""))
        if not _is_assigned(org, set_id):
            given = {"PermissionSetId": set_id, "AssigneeId": org.user_id}
            org.client.ask(ASSIGN_PERMISSION_SET, given)
    except (CrmRejected, CrmMissing, CrmDenied) as refused:
        return BY_HAND.format(why=str(refused).rstrip("."))
    return ""


def _permit(org: Org, planned: FieldPlan) -> str:
    """Let the permission set read and change a field; return why that is not possible."""
    set_id = _permission_set_id(org)
    if not set_id:
        return BY_HAND.format(why=f"there is no permission set {PERMISSION_SET}")
    # docs/salesforce-facts.md#field-permissions
    objects = [TASK if sobject == ACTIVITY else sobject for sobject in planned.sobjects]
    fields = {f"{sobject}.{planned.name}": sobject for sobject in objects}
    names = ", ".join(map(text_literal, fields))
    where = f"ParentId = {id_literal(set_id)} AND Field IN ({names})"
    there = {str(row.get("Field")) for row in org.rows(
        Query(select(["Id", "Field"], "FieldPermissions", where), optional=True))}  # fmt: skip
    rows = [
        Row(name, "FieldPermissions", "", _permission(set_id, sobject, name))
        for name, sobject in fields.items()
        if name not in there
    ]
    answers = write_rows(org, CREATE_FIELD_PERMISSIONS, rows) if rows else {}
    refused = [str(each) for each in answers.values() if isinstance(each, CrmError)]
    return BY_HAND.format(why=refused[0].rstrip(".")) if refused else ""


def _permission(set_id: str, sobject: str, name: str) -> dict[str, Any]:
    return {
        "ParentId": set_id,
        "SobjectType": sobject,
        "Field": name,
        "PermissionsRead": True,
        "PermissionsEdit": True,
    }

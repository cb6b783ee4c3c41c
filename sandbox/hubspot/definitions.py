"""The properties every HubSpot account has, as far as this stand-in knows them.

A definition is kept as the JSON that the properties API answers.
"""

from collections.abc import Iterable
from typing import Any

Definition = dict[str, Any]

LIFECYCLE = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "marketingqualifiedlead": "Marketing Qualified Lead",
    "salesqualifiedlead": "Sales Qualified Lead",
    "opportunity": "Opportunity",
    "customer": "Customer",
    "evangelist": "Evangelist",
    "other": "Other",
}
LEAD_STATUS = {
    "NEW": "New",
    "OPEN": "Open",
    "IN_PROGRESS": "In Progress",
    "OPEN_DEAL": "Open Deal",
    "UNQUALIFIED": "Unqualified",
    "ATTEMPTED_TO_CONTACT": "Attempted to Contact",
    "CONNECTED": "Connected",
    "BAD_TIMING": "Bad Timing",
}
TASK_STATUS = {
    "NOT_STARTED": "Not started",
    "IN_PROGRESS": "In progress",
    "WAITING": "Waiting",
    "COMPLETED": "Completed",
    "DEFERRED": "Deferred",
}
TASK_PRIORITY = {"NONE": "None", "LOW": "Low", "MEDIUM": "Medium", "HIGH": "High"}
TASK_TYPE = {"TODO": "To-do", "CALL": "Call", "EMAIL": "Email"}
DEAL_TYPE = {"newbusiness": "New Business", "existingbusiness": "Existing Business"}
BOUNCE = {"PERMANENT_FAILURE": "Permanent failure", "UNKNOWN_USER": "Unknown user", "SPAM": "Spam"}
YES_NO = {"true": "Yes", "false": "No"}

GROUPS = {
    "contacts": {"contactinformation": "Contact information", "emailinformation": "Email"},
    "companies": {"companyinformation": "Company information"},
    "deals": {"dealinformation": "Deal information"},
    "tasks": {"task_information": "Task information", "task": "Task"},
}

FIELD_OF_TYPE = {
    "string": "text",
    "number": "number",
    "datetime": "date",
    "date": "date",
    "enumeration": "select",
    "bool": "booleancheckbox",
    "phone_number": "phonenumber",
}


def options(labels: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"label": label, "value": value, "displayOrder": order, "hidden": False}
        for order, (value, label) in enumerate(labels.items())
    ]


def definition(name: str, label: str, group: str, type_: str = "string", **more: Any) -> Definition:
    """A property as the API shows it; `read_only` and `labels` are short for longer parts."""
    read_only = more.pop("read_only", False)
    labels = more.pop("labels", YES_NO if type_ == "bool" else {})
    return {
        "name": name,
        "label": label,
        "type": type_,
        "fieldType": FIELD_OF_TYPE[type_],
        "description": "",
        "groupName": group,
        "options": options(labels),
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "archived": False,
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": True,
        "modificationMetadata": {
            "archivable": False,
            "readOnlyDefinition": True,
            "readOnlyValue": read_only,
        },
        "formField": False,
        "dataSensitivity": "non_sensitive",
    } | more


def _owner(group: str, label: str) -> Definition:
    return definition(
        "hubspot_owner_id",
        label,
        group,
        "enumeration",
        externalOptions=True,
        referencedObjectType="OWNER",
    )


def _contacts() -> Iterable[Definition]:
    group = "contactinformation"
    yield definition("email", "Email", group, hasUniqueValue=True, textDisplayHint="email")
    yield definition("hs_additional_emails", "Additional email addresses", group, read_only=True)
    for name, label in {
        "firstname": "First Name",
        "lastname": "Last Name",
        "company": "Company Name",
        "jobtitle": "Job Title",
        "address": "Street Address",
        "city": "City",
        "state": "State/Region",
        "zip": "Postal Code",
        "country": "Country/Region",
        "website": "Website URL",
        "industry": "Industry",
    }.items():
        yield definition(name, label, group)
    yield definition("phone", "Phone Number", group, fieldType="phonenumber")
    yield definition("mobilephone", "Mobile Phone Number", group, fieldType="phonenumber")
    yield definition("message", "Message", group, fieldType="textarea")
    yield from _sales_side(group)
    yield from _stamps(group, created="createdate", modified="lastmodifieddate")


def _sales_side(group: str) -> Iterable[Definition]:
    """Where the contact stands, who cares for it, and whether it may be written to."""
    yield definition(
        "lifecyclestage",
        "Lifecycle Stage",
        group,
        "enumeration",
        labels=LIFECYCLE,
        fieldType="radio",
    )
    yield definition(
        "hs_lead_status",
        "Lead Status",
        group,
        "enumeration",
        labels=LEAD_STATUS,
        fieldType="radio",
    )
    yield _owner(group, "Contact owner")
    yield definition("notes_last_contacted", "Last Contacted", group, "datetime", read_only=True)
    yield definition("notes_last_contacted", "Last Contacted", group, "datetime", read_only=True)
    yield definition("hs_email_optout", "Unsubscribed from all email", "emailinformation", "bool")
    yield definition(
        "hs_email_bad_address", "Invalid email address", "emailinformation", "bool", read_only=True
    )
    yield definition(
        "hs_email_hard_bounce_reason_enum",
        "Email hard bounce reason",
        "emailinformation",
        "enumeration",
        labels=BOUNCE,
        read_only=True,
    )


def _companies() -> Iterable[Definition]:
    group = "companyinformation"
    for name, label in {
        "name": "Company name",
        "domain": "Company Domain Name",
        "industry": "Industry",
        "city": "City",
        "country": "Country/Region",
        "description": "Description",
    }.items():
        yield definition(name, label, group)
    yield definition("phone", "Phone Number", group, fieldType="phonenumber")
    yield definition("numberofemployees", "Number of Employees", group, "number")
    yield _owner(group, "Company owner")
    yield from _stamps(group, created="createdate", modified="hs_lastmodifieddate")


def _deals() -> Iterable[Definition]:
    group = "dealinformation"
    yield definition("dealname", "Deal Name", group)
    yield definition("amount", "Amount", group, "number", numberDisplayHint="currency")
    yield definition("closedate", "Close Date", group, "datetime")
    yield definition("dealtype", "Deal Type", group, "enumeration", labels=DEAL_TYPE)
    yield definition("description", "Deal Description", group, fieldType="textarea")
    yield definition("pipeline", "Pipeline", group, "enumeration", externalOptions=True)
    yield definition(
        "dealstage", "Deal Stage", group, "enumeration", externalOptions=True, fieldType="radio"
    )
    yield _owner(group, "Deal owner")
    for name, label in {
        "hs_is_closed": "Is Deal Closed?",
        "hs_is_closed_won": "Is Closed Won",
        "hs_is_closed_lost": "Is Closed Lost",
    }.items():
        yield definition(name, label, group, "bool", calculated=True, read_only=True)
    yield definition(
        "hs_deal_stage_probability",
        "Deal probability",
        group,
        "number",
        calculated=True,
        read_only=True,
        numberDisplayHint="percentage",
    )
    yield from _stamps(group, created="createdate", modified="hs_lastmodifieddate")


def _tasks() -> Iterable[Definition]:
    group = "task"
    yield definition("hs_timestamp", "Due date", group, "datetime")
    yield definition("hs_task_subject", "Task Title", group)
    yield definition("hs_task_body", "Notes", group, fieldType="html")
    yield definition("hs_task_status", "Task Status", group, "enumeration", labels=TASK_STATUS)
    yield definition("hs_task_priority", "Priority", group, "enumeration", labels=TASK_PRIORITY)
    yield definition("hs_task_type", "Task Type", group, "enumeration", labels=TASK_TYPE)
    yield definition("hs_task_reminders", "Reminders", group)
    yield definition("hs_task_completion_date", "Completed at", group, "datetime", read_only=True)
    yield _owner(group, "Assigned to")
    yield from _stamps(group, created="hs_createdate", modified="hs_lastmodifieddate")


def _stamps(group: str, *, created: str, modified: str) -> Iterable[Definition]:
    yield definition(created, "Create Date", group, "datetime", read_only=True)
    yield definition(modified, "Last Modified Date", group, "datetime", read_only=True)
    yield definition("hs_object_id", "Record ID", group, "number", read_only=True)
    yield definition("hs_merged_object_ids", "Merged record IDs", group, read_only=True)


def defaults() -> dict[str, dict[str, Definition]]:
    """What a new account has, by object type and name."""
    kinds = {"contacts": _contacts, "companies": _companies, "deals": _deals, "tasks": _tasks}
    return {kind: {each["name"]: each for each in make()} for kind, make in kinds.items()}

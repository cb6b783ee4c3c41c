"""The fields of leads and contacts as properties: a property is a field of both, of one name.

docs/salesforce-facts.md#custom-fields
"""

import re
from collections.abc import Iterable

from crm_sync.port import CrmProperty
from crm_sync.salesforce.records.ids import CONTACT, LEAD
from crm_sync.salesforce.records.org import Org, with_fresh_fields
from crm_sync.salesforce.records.people import NAMES_ON_LEAD, field_name
from crm_sync.salesforce.records.schema import Column
from crm_sync.salesforce.records.soql import Query, select
from crm_sync.salesforce.records.values import NUMBERS, text_value

# Salesforce's type → ours.
TYPES = {
    **dict.fromkeys(NUMBERS, "number"),
    **dict.fromkeys(("string", "email", "phone", "url", "combobox", "encryptedstring"), "text"),
    "textarea": "long_text",
    "picklist": "enumeration",
    "datetime": "datetime",
    "date": "date",
    "boolean": "yes_no",
}
LONGEST_NAME = 40  # of a custom field, without its ending


def api_name(name: str) -> str:
    """Return the name of the custom field for a property: "lead_score" is "Lead_Score__c"."""
    if name.endswith("__c"):
        return name
    words = re.findall(r"[A-Za-z0-9]+", name)
    joined = "_".join(word[:1].upper() + word[1:] for word in words)
    return f"{joined[:LONGEST_NAME].rstrip('_')}__c"


def known_name(name: str, columns: Iterable[str]) -> str:
    """Return a property's name as the org has it: its own, or that of the field made for it."""
    return name if name in columns else api_name(name)


def all_properties(org: Org) -> list[CrmProperty]:
    """Return all properties; a contact's field counts as the lead's that it stands for."""
    leads, contacts = org.sobject(LEAD).columns, org.sobject(CONTACT).columns
    columns = {
        name: column for name, column in contacts.items() if name not in NAMES_ON_LEAD
    } | dict(leads)
    return [_property(column, contacts.get(field_name(CONTACT, name)))
            for name, column in columns.items()]  # fmt: skip


@with_fresh_fields
def lead_status_names(org: Org) -> list[str]:
    """Return the values of a lead's status. docs/salesforce-facts.md#lead-status"""
    rows = org.rows(
        Query(select(["ApiName", "SortOrder"], "LeadStatus", after="ORDER BY SortOrder"))
    )
    return [name for name in dict.fromkeys(text_value(row.get("ApiName")) for row in rows) if name]


def property_type(column: Column) -> str:
    return TYPES.get(column.type, "other")


def is_writable(column: Column) -> bool:
    return column.createable or column.updateable


def _property(column: Column, other: Column | None) -> CrmProperty:
    choice = column.type in ("picklist", "boolean")
    options = ("true", "false") if column.type == "boolean" else column.options
    labels = ("Yes", "No") if column.type == "boolean" else column.labels
    return CrmProperty(
        name=column.name,
        label=column.label,
        type=property_type(column),
        options=options if choice else (),
        labels=labels if choice else (),
        read_only=not (is_writable(column) or (other is not None and is_writable(other))),
    )

"""Leads and contacts: which of their fields a property is, and a row of either as the port's contact.

docs/salesforce-facts.md#lead-and-contact
"""

from collections.abc import Iterable, Mapping, Sequence

from crm_sync.port import CrmContact
from crm_sync.salesforce.records.ids import CONTACT, LEAD, full_id
from crm_sync.salesforce.records.org import Org
from crm_sync.salesforce.records.values import column_text, text_value
from crm_sync.salesforce.transport.client import Json

# Ours → the option of the field that set-up makes, ascending.
LIFECYCLE_FIELD = "Lifecycle_Stage__c"
LIFECYCLE = {
    "subscriber": "Subscriber",
    "lead": "Lead",
    "mql": "Marketing Qualified",
    "sql": "Sales Qualified",
    "opportunity": "Opportunity",
    "customer": "Customer",
}
OURS = {theirs: ours for ours, theirs in LIFECYCLE.items()}
OPT_OUT = "HasOptedOutOfEmail"
STATUS = "Status"
READ: Mapping[str, tuple[str, ...]] = {
    LEAD: (
        "Id",
        "Email",
        "OwnerId",
        STATUS,
        OPT_OUT,
        LIFECYCLE_FIELD,
        "IsConverted",
        "ConvertedContactId",
    ),
    CONTACT: ("Id", "Email", "OwnerId", OPT_OUT, LIFECYCLE_FIELD),
}
# A property is named as a lead's field is; a contact has some of them under another name.
# A contact's company is its account, which nobody here writes.
COMPANY = "Account.Name"
NAMES_ON_CONTACT = {
    "Company": COMPANY,
    "Street": "MailingStreet",
    "City": "MailingCity",
    "State": "MailingState",
    "StateCode": "MailingStateCode",
    "PostalCode": "MailingPostalCode",
    "Country": "MailingCountry",
    "CountryCode": "MailingCountryCode",
}
NAMES_ON_LEAD = {theirs: name for name, theirs in NAMES_ON_CONTACT.items()}


def field_name(sobject: str, name: str) -> str:
    """Return the name of a property's field on a lead or contact."""
    return NAMES_ON_CONTACT.get(name, name) if sobject == CONTACT else name


def property_name(sobject: str, field: str) -> str:
    """Return the name of the property that a field is."""
    return NAMES_ON_LEAD.get(field, field) if sobject == CONTACT else field


def columns_of(org: Org, sobject: str, properties: Iterable[str] = ()) -> list[str]:
    """Return the fields to ask for: those that are always read and those of properties, if shown."""
    wanted = [*READ[sobject], *(field_name(sobject, name) for name in properties)]
    shown = org.sobject(sobject).shown(*wanted)
    if COMPANY in wanted and can_see_accounts(org):
        shown.append(COMPANY)
    return list(dict.fromkeys(["Id", *shown]))


def can_see_accounts(org: Org) -> bool:
    return "AccountId" in org.sobject(CONTACT).columns and "Name" in org.sobject("Account").columns


def read_person(
    org: Org, sobject: str, row: Json, properties: Sequence[str] = (), asked_id: str = ""
) -> CrmContact:
    record_id = row_id(row)
    stage = text_value(row.get(LIFECYCLE_FIELD))
    columns = org.sobject(sobject).columns
    values = {name: _value(row, field_name(sobject, name)) for name in properties}
    return CrmContact(
        record_id=record_id,
        email=text_value(row.get("Email")).lower(),
        owner_id=text_value(row.get("OwnerId")),
        lifecycle_stage=OURS.get(stage, ""),
        lead_status=text_value(row.get(STATUS)) if sobject == LEAD else "",
        opted_out=row.get(OPT_OUT) is True,
        properties={
            name: column_text(columns.get(field_name(sobject, name)), value)
            for name, value in values.items()
        },
        asked_id=asked_id if full_id(asked_id) != record_id else "",
    )


def row_id(row: Json) -> str:
    return full_id(str(row.get("Id") or ""))


def contact_of(row: Json) -> str:
    """Return the contact that a converted lead became, "" for any other."""
    return full_id(str(row.get("ConvertedContactId") or "")) if is_converted(row) else ""


def is_converted(row: Json) -> bool:
    return row.get("IsConverted") is True


def _value(row: Json, field: str) -> object:
    """Return a row's value; a parent's for a field such as Account.Name."""
    parent, _, name = field.rpartition(".")
    there = row.get(parent) if parent else row
    return there.get(name) if isinstance(there, dict) else None

"""The recycle bin, and the end of records: deleted, restored, erased, merged, converted."""

from collections.abc import Iterator
from datetime import datetime

from ..org.store import Record, Store
from .consequences import derived

# What goes into the bin with a record: (object, lookup).
PARTS = {
    "Lead": [("Task", "WhoId")],
    "Contact": [("Task", "WhoId"), ("OpportunityContactRole", "ContactId")],
    "Account": [("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Task", "WhatId")],
    "Opportunity": [("OpportunityContactRole", "OpportunityId"), ("Task", "WhatId")],
}


def delete(store: Store, record: Record, at: datetime, with_: str = "") -> None:
    """Into the bin, with its parts; a setup record is gone at once."""
    if not store.objects[record.object].binned:
        store.remove(record)
        return
    for part in _parts(store, record):
        if not part.is_deleted:
            delete(store, part, at, with_ or record.id)
    record.binned_with = with_
    store.set(record, {"IsDeleted": True}, at)


def undelete(store: Store, record: Record, at: datetime) -> None:
    """As a person does it in the recycle bin; what went with the record comes back with it."""
    for name in ("Task", "OpportunityContactRole", "Contact", "Opportunity"):
        for each in store.all(name):
            if each.binned_with == record.id:
                each.binned_with = ""
                store.set(each, {"IsDeleted": False}, at)
    store.set(record, {"IsDeleted": False}, at)


def erase(store: Store, record: Record) -> None:
    """Out of the bin too, for good."""
    for part in list(_parts(store, record)):
        erase(store, part)
    store.remove(record)


def merge(store: Store, kept: Record, gone: Record, at: datetime, by: str) -> None:
    """Two records of one object become one: what hangs on the other hangs on this one now."""
    for object_, lookup in PARTS[gone.object]:
        for part in store.live_holding(object_, lookup, gone.id):
            store.set(part, {lookup: kept.id}, at)
    filled = {
        name: value
        for name, value in gone.values.items()
        if kept.get(name) is None and store.objects[gone.object].fields[name].updateable
    }
    store.set(gone, {"IsDeleted": True, "MasterRecordId": kept.id}, at)
    store.write(kept, filled, at, by)


def convert(
    store: Store, lead: Record, at: datetime, by: str, *, contact: Record | None = None,
    deal: str = "", mapped: tuple[str, ...] = (),
) -> Record:  # fmt: skip
    """A lead becomes a contact of an account, and a deal if it has a name. `mapped`: custom fields that go along."""
    if contact is None:
        account = store.add(
            "Account", {"Name": lead.get("Company"), "OwnerId": _owner(lead, by)}, at, by
        )
        values = {name: lead.get(name) for name in _carried(mapped) if lead.get(name) is not None}
        values |= {"AccountId": account.id, "OwnerId": _owner(lead, by)}
        values |= derived(store, "Contact", values, values, at)
        contact = store.add("Contact", values, at, by)
    deal_id = _deal(store, lead, contact, deal, at, by) if deal else None
    for task in store.live_holding("Task", "WhoId", lead.id):
        store.set(
            task,
            {"WhoId": contact.id, "WhatId": deal_id, "AccountId": contact.get("AccountId")},
            at,
        )
    status = next(
        each.get("ApiName") for each in store.all("LeadStatus") if each.get("IsConverted")
    )
    done = {
        "IsConverted": True, "ConvertedDate": at.date(), "Status": status,
        "ConvertedAccountId": contact.get("AccountId"), "ConvertedContactId": contact.id,
        "ConvertedOpportunityId": deal_id,
    }  # fmt: skip
    store.write(lead, done, at, by)
    return contact


def _carried(mapped: tuple[str, ...]) -> tuple[str, ...]:
    return ("FirstName", "LastName", "Email", "Phone", "MobilePhone", "Title", "LeadSource", "Description",
            "HasOptedOutOfEmail", "DoNotCall", *mapped)  # fmt: skip


def _owner(lead: Record, by: str) -> str:
    """Contacts and accounts have people for owners, never queues."""
    owner = str(lead.get("OwnerId"))
    return owner if owner.startswith("005") else by


def _deal(store: Store, lead: Record, contact: Record, name: str, at: datetime, by: str) -> str:
    stage = min(store.all("OpportunityStage"), key=lambda each: float(each.get("SortOrder")))
    values = {
        "Name": name, "StageName": stage.get("ApiName"), "CloseDate": at.date(),
        "AccountId": contact.get("AccountId"), "OwnerId": _owner(lead, by),
        "RecordTypeId": next(iter(store.rules.stages_of), None),
    }  # fmt: skip
    values |= derived(store, "Opportunity", values, values, at)
    made = store.add("Opportunity", values, at, by)
    role = {"OpportunityId": made.id, "ContactId": contact.id, "IsPrimary": True}
    store.add("OpportunityContactRole", role, at, by)
    return made.id


def _parts(store: Store, record: Record) -> Iterator[Record]:
    for object_, lookup in PARTS.get(record.object, []):
        yield from store.holding(object_, lookup, record.id)

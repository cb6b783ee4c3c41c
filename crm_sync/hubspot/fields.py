"""List the properties that are always sent to HubSpot or read from it; mapped ones come on top."""

from collections.abc import Iterable, Iterator

from crm_sync.hubspot.records import contacts, deals, task_fields
from crm_sync.port import CrmField

TASKS_SENT = (
    "hs_task_subject",
    "hs_task_body",
    "hs_task_status",
    "hs_task_priority",
    "hs_task_type",
    "hs_timestamp",
    "hubspot_owner_id",
    task_fields.REFERENCE,
)
READ = {
    "contact": (*contacts.READ, "associations.tasks", "associations.deals"),
    "task": (*task_fields.READ, "associations.contacts", task_fields.REFERENCE),
    "deal": (*deals.READ, "associations.contacts"),
    "company": ("hubspot_owner_id", "associations.contacts"),
    "rep": ("id", "email", "firstName", "lastName", "type", "archived"),
    "stage": ("id", "label", "displayOrder", "archived", "metadata"),
    "account": ("portalId", "timeZone", "uiDomain"),
}


def used_fields() -> Iterator[CrmField]:
    yield from fields_of_record("task", (*TASKS_SENT, "associations.contacts"), sent=True)
    for record, names in READ.items():
        yield from fields_of_record(record, names, sent=False)


def fields_of_record(record: str, names: Iterable[str], *, sent: bool) -> Iterator[CrmField]:
    return (CrmField(record, name, sent) for name in dict.fromkeys(names))

"""List the fields that are always sent to Salesforce or read from it; mapped ones come on top."""

from collections.abc import Iterator

from crm_sync.port import CrmField
from crm_sync.salesforce.records import deals, organization, people, stages, task_fields

SENT = {
    "task": (
        "Subject",
        "Description",
        task_fields.PERSON,
        task_fields.OWNER,
        "Priority",
        task_fields.STATUS,
        "ActivityDate",
        "IsReminderSet",
        "ReminderDateTime",
        task_fields.REFERENCE,
    ),
    "contact": ("Email", "LastName", "Company", people.OPT_OUT),
}
SEEN = {
    "contact": (
        *people.READ["Lead"],
        people.COMPANY,
        "AccountId",
        "MasterRecordId",
        "IsDeleted",
        "CreatedDate",
        "SystemModstamp",
    ),
    "task": task_fields.READ,
    "deal": (*deals.READ, *deals.LOSS_REASONS, "ContactId", "OpportunityId"),
    "company": ("Name", "OwnerId", "Owner.IsActive"),
    "rep": ("Id", "Name", "Email", "IsActive", "UserType"),
    "stage": stages.NAMES,
    "account": organization.COLUMNS,
}


def fields_used() -> Iterator[CrmField]:
    for names_of, sent in ((SENT, True), (SEEN, False)):
        for record, names in names_of.items():
            yield from (CrmField(record, name, sent) for name in dict.fromkeys(names))

"""List the values that are always sent to Pipedrive or read from it; mapped ones come on top."""

from collections.abc import Iterable, Iterator

from crm_sync.pipedrive.records import activity_fields, activity_writes, deals, persons
from crm_sync.pipedrive.records.campaigns import MARKETING_STATUS
from crm_sync.port import CrmField

SENT = {
    "task": activity_writes.SENT,
    "contact": ("emails", "name", MARKETING_STATUS),
}
READ = {
    "contact": (
        "id",
        "emails",
        "owner_id",
        "org_id",
        "add_time",
        "update_time",
        "is_deleted",
        MARKETING_STATUS,
        persons.MAIL_TIME,
        *deals.OWN_COUNTS,
        *deals.TAKING_PART_COUNTS,
    ),
    "task": activity_fields.READ,
    "deal": (
        "id",
        "title",
        "person_id",
        "pipeline_id",
        "stage_id",
        "owner_id",
        "value",
        "status",
        "lost_reason",
        "add_time",
        "update_time",
        "participants_count",
        "participants",
    ),
    "company": ("id", "owner_id"),
    "rep": ("id", "name", "email", "active_flag", "is_deleted"),
    "stage": ("id", "name", "order_nr", "pipeline_id", "deal_probability", "is_deleted"),
    "account": ("id", "company_id", "company_name", "company_domain", "timezone_name", "access"),
}


def always_used() -> Iterator[CrmField]:
    for record, names in SENT.items():
        yield from _of_record(record, names, sent=True)
    for record, names in READ.items():
        yield from _of_record(record, names, sent=False)


def _of_record(record: str, names: Iterable[str], *, sent: bool) -> Iterator[CrmField]:
    return (CrmField(record, name, sent) for name in dict.fromkeys(names))

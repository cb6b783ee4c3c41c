"""Short words for what the tests write."""

from datetime import UTC, datetime

from crm_sync.port import CrmContactWrite, CrmTaskWrite, PlainText

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def by_email(email: str, trace: str = "", **properties: str) -> CrmContactWrite:
    return CrmContactWrite(trace or email, "", email, properties)


def by_id(record_id: str, **properties: str) -> CrmContactWrite:
    return CrmContactWrite(record_id, record_id, "", properties)


def a_task(record_id: str, owner_id: str, trace: str = "LS-1") -> CrmTaskWrite:
    return CrmTaskWrite(
        trace, record_id, owner_id, "Hot lead", PlainText(f"Why.\n\nref {trace}"), NOON
    )

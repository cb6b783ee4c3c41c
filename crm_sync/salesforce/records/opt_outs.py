"""Opt addresses out of mail, on all leads and contacts that have them.

docs/salesforce-facts.md#opt-out
"""

from collections.abc import Sequence

from crm_sync.port import CrmBusy, CrmDenied, CrmError, CrmMissing, CrmRejected
from crm_sync.salesforce.records.contacts import email_of, folded, rows_by_email
from crm_sync.salesforce.records.ids import object_of
from crm_sync.salesforce.records.org import Org, with_fresh_fields
from crm_sync.salesforce.records.people import OPT_OUT, is_converted, row_id
from crm_sync.salesforce.records.rows import MOST_ROWS, Row, write_rows
from crm_sync.salesforce.transport.calls import UPDATE_CONTACTS
from crm_sync.transport.batches import Outcome, write_all
from leadscoring.common.batching import batched

NOT_ALLOWED = (
    f"The integration user may not change the field {OPT_OUT} of leads and contacts: "
    "give its permission set that field."
)


@with_fresh_fields
def opt_out_emails(org: Org, emails: Sequence[str]) -> Outcome[None]:
    """Return by address None when all its leads and contacts are opted out, else the error.

    Converted leads are read-only, and nobody sends mail to them.
    """
    wanted = list(dict.fromkeys(emails))
    outcome: Outcome[None] = {
        email: None if _is_address(email) else CrmRejected(f"“{email[:80]}” is not an address.")
        for email in wanted
    }
    rows = rows_by_email(org, [email for email in wanted if outcome[email] is None])
    due = {
        row_id(row): email_of(row)
        for some in rows.values()
        for row in some
        if not is_converted(row) and row.get(OPT_OUT) is not True
    }
    if not due:
        return outcome
    _check_allowed(org)
    answers = write_all(
        batched([Row(id_, object_of(id_), id_, {OPT_OUT: True}) for id_ in due], MOST_ROWS),
        lambda batch: write_rows(org, UPDATE_CONTACTS, batch),
    )
    failed = {due[id_]: each for id_, each in answers.items() if isinstance(each, CrmError)}
    return {email: _told(failed.get(folded(email)), outcome[email]) for email in wanted}


def _told(failed: CrmError | None, known: CrmError | None) -> CrmError | None:
    if isinstance(failed, CrmRejected) and OPT_OUT in failed.properties:
        raise CrmDenied(NOT_ALLOWED)
    # Merged, converted or deleted a moment ago: the next try finds what it has become.
    return CrmBusy(str(failed)) if isinstance(failed, CrmMissing) else failed or known


def _check_allowed(org: Org) -> None:
    """Raise CrmDenied when the flag may not be written: that concerns all addresses."""
    columns = [org.sobject(name).columns.get(OPT_OUT) for name in ("Lead", "Contact")]
    if not all(column and column.updateable for column in columns):
        raise CrmDenied(NOT_ALLOWED)


def _is_address(text: str) -> bool:
    name, at, domain = text.strip().rpartition("@")
    return bool(name and at and domain)

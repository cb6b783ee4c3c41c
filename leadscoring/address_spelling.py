"""Addresses that were stored before each mailbox had one spelling: put right after migrations.

Each is a transaction of its own, so this may be interrupted and run again. Where nothing is left to
do, it reads the addresses with other signs than ASCII, and no more.
"""

import logging
from collections.abc import Iterator
from datetime import datetime

from django.db.models import Model, Q

from leadscoring.address_changes import change_addresses
from leadscoring.common.email_address import fold_email
from leadscoring.merging import merge_contacts
from leadscoring.models import Alias, Contact, CrmState

log = logging.getLogger(__name__)
# `fold_email` changes no other address that is stored in lower case.
UNUSUAL = Q(email__regex="[^!-~]") | Q(email__contains="xn--")


def unify_addresses(at: datetime) -> None:
    """Put the addresses of contacts into their one spelling; merge contacts whose mailbox is one."""
    for contact_id, email in other_spellings(Contact):
        holder = Contact.objects.filter(email=email).values_list("pk", flat=True).first()
        kept = _merge_one_mailbox(holder, contact_id, at) if holder else contact_id
        if kept != holder and not change_addresses({kept: email}, at):
            log.warning("Contact %d has an address that was erased in another spelling.", kept)
    for alias_id, email in other_spellings(Alias):
        alias = Alias.objects.filter(pk=alias_id)
        if Alias.objects.filter(number__in=alias.values("number"), email=email).exists():
            alias.delete()
        else:
            alias.update(email=email)


def other_spellings(model: type[Model]) -> Iterator[tuple[int, str]]:
    """Yield the ids of rows whose `email` is not in its one spelling, and that spelling."""
    rows = model._default_manager.filter(UNUSUAL).order_by("pk").values_list("pk", "email")
    yield from [
        (pk, folded) for pk, email in rows.iterator() if (folded := fold_email(email)) != email
    ]


def _merge_one_mailbox(holder: int, other: int, at: datetime) -> int:
    """Merge two contacts of one mailbox; return who is left: the one whom the CRM knows."""
    known = CrmState.objects.filter(contact__in=[holder, other]).exclude(record_id="")
    records = dict(known.values_list("contact", "record_id"))
    kept, gone = (other, holder) if other in records and holder not in records else (holder, other)
    merge_contacts(kept, gone, at)
    log.info("Contact %d was merged into contact %d: their addresses are one mailbox.", gone, kept)
    if len(set(records.values())) == 2:
        log.warning("Contact %d has two records in the CRM: merge them there.", kept)
    return kept

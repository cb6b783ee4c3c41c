"""Contacts whose records are permanently deleted: erased here on the CRM's word, else a person decides.

A record that neither exists nor can be restored may have been erased at the person's request, or
deleted by mistake with a thousand others. Only a signed notice of the erasure, confirmed by a read,
erases a contact here automatically.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from crm_sync.models import Account, Hint, Link
from crm_sync.port import Crm
from leadscoring.erasing import erase_contact


def permanently_deleted(crm: Crm, record_ids: Collection[str]) -> set[str]:
    """Return those of some records that do not exist and cannot be restored, read after write."""
    there = crm.contacts_by_id(list(record_ids), []) if record_ids else {}
    absent = [id_ for id_ in record_ids if id_ not in there]
    return set(absent) - crm.archived_contacts(absent) if absent else set()


def contacts_deleted(crm: Crm, links: Mapping[int, Link], absent: Collection[int]) -> set[int]:
    """Return those contacts without a record whose record the CRM calls deleted, or is known to be
    gone for good. Of the others it is not known: the record may have been made a moment ago."""
    known = {pk for pk in absent if links[pk].gone_for_good}
    asked = {links[pk].record_id: pk for pk in absent if pk not in known}
    archived = crm.archived_contacts(list(asked)) if asked else set()
    return known | {asked[record_id] for record_id in archived}


def erase_confirmed(crm: Crm, account: Account, hints: Sequence[Hint], at: datetime) -> int:
    """Erase contacts that a hint reports as erased and of which the CRM has nothing any more.

    Return how many. A record that exists, or can be restored, erases no contact.
    """
    said = [hint.record_id for hint in hints if hint.erased and hint.kind == Hint.Kind.CONTACT]
    ours = Link.objects.filter(account_id=account.account_id, record_id__in=said)
    contact_of = dict(ours.values_list("record_id", "contact_id"))
    confirmed = permanently_deleted(crm, contact_of)
    return sum(erase_contact(contact_of[record_id], at) for record_id in sorted(confirmed))

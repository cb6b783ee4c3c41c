"""People whose records are gone for good: erased here when the CRM said so, else a person decides.

A record that is neither there nor among those that can be restored may have been erased at the
person's request, or deleted by mistake with a thousand others: only a signed word of the erasure,
and a look that confirms it, erase anybody here by themselves.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from crm_sync.models import Account, Hint, Link
from crm_sync.port import Crm
from leadscoring.erasing import erase_contact


def permanently_deleted(crm: Crm, record_ids: Collection[str]) -> set[str]:
    """Those of some records that are not there and cannot be restored, read after write."""
    there = crm.contacts_by_id(list(record_ids), []) if record_ids else {}
    return unrestorable(crm, [id_ for id_ in record_ids if id_ not in there])


def unrestorable(crm: Crm, absent: Sequence[str]) -> set[str]:
    """Those of some records that are not there which nobody can restore."""
    return set(absent) - crm.archived_contacts(absent) if absent else set()


def contacts_lost(crm: Crm, links: Mapping[int, Link], gone: Collection[int]) -> set[int]:
    """Contacts whose records have gone for good since that was last asked."""
    asked = {links[pk].record_id: pk for pk in gone if not links[pk].gone_for_good}
    return {asked[record_id] for record_id in unrestorable(crm, list(asked))}


def erase_confirmed(crm: Crm, account: Account, hints: Sequence[Hint], at: datetime) -> int:
    """Erase those of whom a hint says that they were erased, and the CRM has nothing any more.

    Answers how many. A record that is there, or can be restored, erases nobody.
    """
    said = [hint.record_id for hint in hints if hint.erased and hint.kind == Hint.Kind.CONTACT]
    ours = Link.objects.filter(account_id=account.account_id, record_id__in=said)
    contact_of = dict(ours.values_list("record_id", "contact_id"))
    confirmed = permanently_deleted(crm, contact_of)
    return sum(erase_contact(contact_of[record_id], at) for record_id in sorted(confirmed))

"""Records we were told of are looked at again, with what the pull looks and applies with."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from crm_sync.account import account_of
from crm_sync.holding import Gate, gate, lift, strike
from crm_sync.models import Account, Deal, Hint, Hold, Link
from crm_sync.port import Crm, CrmError, CrmPaced
from crm_sync.pull import CHUNK, apply, look, people
from leadscoring.models import Contact
from leadscoring.scoring import chunks


def look_again(crm: Crm, heard_by: datetime, at: datetime) -> int:
    """Look at some of the records that were hinted at until `heard_by`, the oldest hints first.

    Answers how many hints were dealt with. A hint goes only after what it covers was applied. What
    fails here fails as a pull does: it holds both, and the pull tells people of it.
    """
    hints = Hint.objects.claim(heard_by, at) if may_ask(crm, at) else []
    if not hints:
        Hint.objects.forget(at)
        return 0
    try:
        apply_hints(crm, hints, at)
    except CrmError as error:
        Hint.objects.put_back(hints, at)
        if not isinstance(error, CrmPaced):
            strike(crm, Hold.Work.PULL, error, at)
        return 0
    lift(crm, Hold.Work.PULL)
    Hint.objects.settle(hints, at)
    return len(hints)


def may_ask(crm: Crm, at: datetime) -> bool:
    return crm.connected and gate(crm, Hold.Work.PULL, at) is not Gate.SHUT


def apply_hints(crm: Crm, hints: Sequence[Hint], at: datetime) -> None:
    account = account_of(crm, at)
    contacts = Contact.objects.filter(pk__in=whom(crm, account, hints))
    for ids in chunks(contacts, CHUNK):
        apply(crm, account, look(crm, ids), at)


def whom(crm: Crm, account: Account, hints: Iterable[Hint]) -> set[int]:
    """The ids of the contacts of ours whose picture may have changed. Most records are nobody's."""
    named: dict[str, list[str]] = {kind: [] for kind in Hint.Kind.values}
    for hint in hints:
        named[hint.kind].append(hint.record_id)
    deals, records = named[Hint.Kind.DEAL], named[Hint.Kind.CONTACT]
    on_deals = crm.contacts_of_deals(deals) if deals else {}
    linked = linked_with(account, [*records, *(id_ for each in on_deals.values() for id_ in each)])
    strangers = [id_ for id_ in records if id_ not in linked]
    return {*linked.values(), *left_by(deals), *meant_by(crm, account, strangers)}


def linked_with(account: Account, record_ids: Iterable[str]) -> dict[str, int]:
    links = Link.objects.filter(portal_id=account.portal_id, record_id__in=set(record_ids))
    return dict(links.values_list("record_id", "contact_id"))


def left_by(deal_ids: Sequence[str]) -> Iterable[int]:
    """Contacts whose deal it was when it was last seen: it may be gone, or theirs no more."""
    ties = Deal.contacts.through.objects.filter(deal__deal_id__in=deal_ids)
    return ties.values_list("contact_id", flat=True)


def meant_by(crm: Crm, account: Account, record_ids: Sequence[str]) -> set[int]:
    """Contacts whose records these are under another id (merged), or by their address (new there)."""
    found = crm.contacts_by_id(record_ids, []).values() if record_ids else ()
    merged = linked_with(account, [record.record_id for record in found])
    emails = [record.email.lower() for record in found if record.email]
    known = people().filter(email__in=emails).values_list("pk", flat=True)
    return {*merged.values(), *known}

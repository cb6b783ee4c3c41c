"""Addresses that were changed in the CRM: ours follow, once, unless another contact here has them.

An address that a person wrote there belongs to the CRM: a later change here does not overwrite it,
unless the mapping says that ours wins. So neither side reverts the other's change.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.db import transaction

from crm_sync.models import FieldMapping, Link
from crm_sync.port import CrmContact
from crm_sync.pull.fetch import Snapshot
from leadscoring.address_changes import change_addresses
from leadscoring.common import bulk_sql
from leadscoring.common.email_address import fold_email
from leadscoring.intake.validation import InvalidItem, PersonItem, validate_item
from leadscoring.merging import merge_contacts
from leadscoring.models import Contact

# What we wrote there once is no longer ours: a person has written another address since.
FOLLOWED = """
    UPDATE crm_sync_link AS link
    SET email = contact.email, taken_email = '', last_written = link.last_written - %s::text[]
    FROM leadscoring_contact AS contact
    WHERE contact.id = link.contact_id AND link.contact_id = ANY(%s)
"""
Emails = Mapping[int, str]


def find_changed_addresses(found: Snapshot, contacts: Mapping[int, Contact]) -> dict[int, str]:
    """Return the addresses that were changed in the CRM since the last read, by contact id.

    Call inside the transaction of the refresh. All others are stored as seen. A contact that was
    written to since the refresh began is left for the next one.
    """
    names = address_properties()
    seen, moved = [], {}
    for pk, link in Link.objects.in_bulk(list(found.records.keys() & contacts.keys())).items():
        record, before = found.records[pk], found.last_written.get(pk)
        known_before = before is not None and pk not in found.gone | found.missing
        if known_before and link.last_written != before:
            continue
        if known_before and is_new_address(link, record, contacts[pk], names):
            moved[pk] = normalize_crm_email(record.email)
        elif (link.email, link.taken_email) != (record.email, ""):
            link.email, link.taken_email = record.email[:254], ""
            seen.append(link)
    bulk_sql.bulk_update(Link, seen, ["email", "taken_email"])
    return {pk: email for pk, email in moved.items() if email}


def is_new_address(link: Link, record: CrmContact, contact: Contact, names: Iterable[str]) -> bool:
    """Return whether it differs from the record's last, from what we wrote, and from the contact's."""
    known = {link.email, *(link.last_written.get(name, "") for name in names)} - {""}
    return bool(known) and not {record.email, fold_email(record.email)} & {
        "",
        contact.email,
        *known,
    }


def normalize_crm_email(text: str) -> str:
    """Return an address by the rules of the intake; "" when it is invalid."""
    try:
        return validate_item(PersonItem, {"email": text}).email or ""
    except InvalidItem:
        return ""


def address_properties() -> list[str]:
    """Return the CRM properties that addresses are mapped to."""
    named = FieldMapping.objects.filter(source=FieldMapping.Source.EMAIL)
    return list(named.values_list("property", flat=True))


def follow_addresses(moved: Emails, at: datetime) -> None:
    """Set contacts' addresses to those they have in the CRM. Safe to repeat.

    A contact without a record that has the address here is the same person: merge it first.
    """
    given = give_addresses(moved, at)
    left = {pk: email for pk, email in moved.items() if pk not in given}
    merges = dict(address_holders(left))
    for kept, gone in merges.items():
        merge_contacts(kept, gone, at)
    given = give_addresses({pk: email for pk, email in left.items() if pk in merges}, at)
    flag_taken_addresses({pk: email for pk, email in left.items() if pk not in given})


def give_addresses(emails: Emails, at: datetime) -> set[int]:
    with transaction.atomic():
        given = change_addresses(emails, at)
        bulk_sql.run_statement(FOLLOWED, [address_properties(), sorted(given)])
    return given


def address_holders(emails: Emails) -> Iterator[tuple[int, int]]:
    """Yield (contact with the record, contact without a record that has its address here)."""
    holders = Contact.objects.filter(email__in=emails.values(), link=None)
    holder_of = dict(holders.values_list("email", "pk"))
    return ((pk, holder_of[email]) for pk, email in emails.items() if email in holder_of)


def flag_taken_addresses(emails: Emails) -> None:
    """Flag addresses that another contact with a record of its own has: a person must decide."""
    taken = set(Contact.objects.filter(email__in=emails.values()).values_list("email", flat=True))
    links = Link.objects.in_bulk([pk for pk, email in emails.items() if email in taken])
    for pk, link in links.items():
        link.taken_email = emails[pk]
    bulk_sql.bulk_update(Link, links.values(), ["taken_email"])

"""Questions to the list of contacts about their records in the CRM, as the home page asks them."""

from datetime import datetime

from leadscoring.admin.questions import Contacts, ask


@ask("gone-for-good", "Deleted for good in the CRM", pill=False, place=8)
def gone_for_good(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(link__gone_for_good=True)


@ask("address-taken", "Another address in the CRM", pill=False, place=8)
def address_taken(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(link__taken_email__gt="")

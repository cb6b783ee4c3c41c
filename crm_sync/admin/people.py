"""Questions to the list of contacts about their records in the CRM, as the home page asks them."""

from datetime import datetime

from leadscoring.admin.filters import Contacts, register_question


@register_question("gone-for-good", "Deleted for good in the CRM", pill=False, place=8)
def filter_gone(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(link__gone_for_good=True)


@register_question("address-taken", "Another address in the CRM", pill=False, place=8)
def filter_address_taken(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(link__taken_email__gt="")

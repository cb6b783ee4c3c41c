"""Filters of the contact list on their records in the CRM, as linked from the home page."""

from datetime import datetime

from leadscoring.admin.filters import Contacts
from leadscoring.admin.model_admin import FilterQuestion
from leadscoring.extensions import contact_questions


def filter_gone(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(link__gone_for_good=True)


def filter_address_taken(contacts: Contacts, at: datetime) -> Contacts:
    return contacts.filter(link__taken_email__gt="")


contact_questions.add(
    "gone-for-good", FilterQuestion("Deleted for good in the CRM", filter_gone, pill=False, place=8)
)
contact_questions.add(
    "address-taken",
    FilterQuestion("Another address in the CRM", filter_address_taken, pill=False, place=8),
)

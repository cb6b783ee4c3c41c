"""New addresses of known contacts, from the CRM or another source."""

from collections.abc import Mapping
from datetime import datetime

from leadscoring import crm_state
from leadscoring.common import bulk_sql
from leadscoring.erasing import erased_addresses
from leadscoring.intake.people import record_profile_changes, retry_on_race
from leadscoring.models import Contact
from leadscoring.scoring import rescore
from leadscoring.signals import addresses_changed


def change_addresses(emails: Mapping[int, str], at: datetime) -> set[int]:
    """Give contacts, by id, new addresses in lower case, as of `at`; return whose address changed.

    Skip an address that another contact has, or that was erased. Scores and suppressions follow.
    """
    return retry_on_race(lambda: _moved_since_lock(emails, at)) if emails else set()


def _moved_since_lock(emails: Mapping[int, str], at: datetime) -> set[int]:
    people = Contact.objects.select_related("company").select_for_update(of=("self",))
    wanted = set(emails.values())
    taken = set(Contact.objects.filter(email__in=wanted).values_list("email", flat=True))
    taken |= erased_addresses(wanted)
    moved, moves = [], {}
    for contact in people.filter(pk__in=emails).order_by("pk"):
        email = emails[contact.pk]
        if email not in taken:
            taken.add(email)
            if contact.email:
                moves[contact.email] = email
            contact.email, contact.updated_at = email, at
            moved.append(contact)
    bulk_sql.bulk_update(Contact, moved, ("email", "updated_at"))
    record_profile_changes(moved, at)
    crm_state.drop_unlinked_states([contact.pk for contact in moved])
    addresses_changed.send(Contact, moves=moves, at=at)
    ids = [contact.pk for contact in moved]
    rescore(ids, at)
    return set(ids)

"""Forgetting a person for good. What stays is a hash that keeps their address from coming back."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from leadscoring.common.bulk_sql import run_statement
from leadscoring.common.email_address import fold_email
from leadscoring.models import Contact, Erased, ErasureSalt, ImportWish, ProfileChange
from leadscoring.signals import contact_erased

REJECTED = """
    DELETE FROM leadscoring_rejectedrow AS kept WHERE EXISTS (
        SELECT FROM unnest(kept.cells) AS cell JOIN unnest(%s::text[]) AS gone(email)
        ON strpos(lower(cell), gone.email) > 0
    )
"""


def erase_contact(contact_id: int, at: datetime) -> bool:
    """Delete all that is known of a contact; return whether it existed."""
    with transaction.atomic():
        contact = Contact.objects.select_for_update().filter(pk=contact_id).first()
        if contact is None:
            return False
        emails = addresses_of(contact)
        contact_erased.send(Contact, contact=contact, emails=emails, at=at)
        _block_addresses(emails, at)
        _delete_from_imports(emails)
        _anonymize_page_log(contact)
        contact.delete()
    return True


def addresses_of(contact: Contact) -> set[str]:
    """Return all addresses that a contact has had, without those that belong to another one by now."""
    told = ProfileChange.objects.filter(contact=contact).values_list("fields__email", flat=True)
    merged = contact.aliases.values_list("email", flat=True)
    emails = {fold_email(email) for email in (*told, *merged, contact.email) if email}
    others = Contact.objects.exclude(pk=contact.pk).filter(email__in=emails)
    return emails.difference(others.values_list("email", flat=True))


def _delete_from_imports(emails: Collection[str]) -> None:
    """Delete what imports keep of these addresses; what they keep of a contact goes with it."""
    ImportWish.objects.filter(email__in=emails).delete()
    run_statement(REJECTED, [list(emails)])


def _anonymize_page_log(contact: Contact) -> None:
    """Keep the log of what users did on a contact's page, without naming the contact."""
    kind = ContentType.objects.get_for_model(Contact)
    done = LogEntry.objects.filter(content_type=kind, object_id=str(contact.pk))
    done.update(object_repr=f"contact {contact.pk}")


def _block_addresses(emails: Collection[str], at: datetime) -> None:
    """Reject these addresses from now on."""
    rows = [Erased(hash=_hash_address(email, _erasure_salt()), at=at) for email in emails]
    Erased.objects.bulk_create(rows, ignore_conflicts=True)


def erased_addresses(emails: Collection[str]) -> set[str]:
    """Return which of some addresses were erased. One or two queries."""
    if not emails or not Erased.objects.exists():
        return set()
    known = _erasure_salt()
    hashes = {_hash_address(email, known): email for email in emails}
    found = Erased.objects.filter(hash__in=hashes).values_list("hash", flat=True)
    return {hashes[each] for each in found}


def _erasure_salt() -> str:
    """Return the salt, kept in the database so that it outlives a change of SECRET_KEY."""
    fresh = {"value": secrets.token_hex(32)}
    return ErasureSalt.objects.get_or_create(pk=1, defaults=fresh)[0].value


def _hash_address(email: str, key: str) -> str:
    return hmac.new(key.encode(), fold_email(email).encode(), hashlib.sha256).hexdigest()

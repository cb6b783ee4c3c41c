"""Forgetting a person for good. What stays is a hash that keeps their address from coming back."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from leadscoring.models import Contact, Erased, ErasureSalt
from leadscoring.signals import contact_erased


def erase(contact_id: int, at: datetime) -> bool:
    """Delete all that is known of somebody; answers whether they were there."""
    with transaction.atomic():
        contact = Contact.objects.select_for_update().filter(pk=contact_id).first()
        if contact is None:
            return False
        contact_erased.send(Contact, contact=contact, at=at)
        if contact.email:
            keep_out([contact.email], at)
        contact.delete()
    return True


def keep_out(emails: Collection[str], at: datetime) -> None:
    """Never take these addresses in again."""
    rows = [Erased(hash=hash_of(email, salt()), at=at) for email in emails]
    Erased.objects.bulk_create(rows, ignore_conflicts=True)


def erased_among(emails: Collection[str]) -> set[str]:
    """Those of some addresses that were erased. One or two queries."""
    if not emails or not Erased.objects.exists():
        return set()
    known = salt()
    hashes = {hash_of(email, known): email for email in emails}
    found = Erased.objects.filter(hash__in=hashes).values_list("hash", flat=True)
    return {hashes[each] for each in found}


def salt() -> str:
    """Kept in the database, so that it outlives a change of SECRET_KEY."""
    fresh = {"value": secrets.token_hex(32)}
    return ErasureSalt.objects.get_or_create(pk=1, defaults=fresh)[0].value


def hash_of(email: str, key: str) -> str:
    return hmac.new(key.encode(), email.lower().encode(), hashlib.sha256).hexdigest()

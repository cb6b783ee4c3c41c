"""Secrets of form services: of the address that they send to, and those that they sign with."""

import hashlib
import secrets

from cryptography.fernet import InvalidToken

from leadscoring.common.cipher import cipher_for
from leadscoring.models import Form

PURPOSE = "form services"


def new_address_secret() -> str:
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    # It is random, so a slow hash adds nothing.
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def find_service(kind: str, secret: str) -> Form | None:
    """Return the form of a service's address. One that nobody has costs the same query."""
    return Form.objects.filter(kind=kind, address_hash=hash_secret(secret)).first()


def encrypt_signing_secret(text: str) -> str:
    return cipher_for(PURPOSE).encrypt(text.encode()).decode()


def signing_secret_of(form: Form) -> str | None:
    """Return what requests are signed with, "" when they are not; None when it cannot be read any more."""
    if not form.signing_secret:
        return ""
    try:
        return cipher_for(PURPOSE).decrypt(form.signing_secret.encode()).decode()
    except InvalidToken:  # SECRET_KEY is another than it was
        return None

"""Encryption of secrets that are kept: a copy of the database alone gives them to nobody."""

import base64
import hashlib

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def cipher_for(purpose: str) -> MultiFernet:
    """Encrypt with SECRET_KEY; decrypt with the earlier ones too. Each purpose has keys of its own."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([_of_key(purpose, key) for key in keys])


def _of_key(purpose: str, secret_key: str) -> Fernet:
    key = hashlib.sha256(f"{purpose}:{secret_key}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))

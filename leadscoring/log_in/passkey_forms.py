"""allauth's forms for passkeys. What a client made up instead of a passkey is a wrong one, not an error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms

# What fido2 throws at a document that lacks parts or has others in their place.
MALFORMED = (KeyError, AttributeError, TypeError, ValueError, IndexError)


@contextmanager
def _malformed_is_wrong() -> Iterator[None]:
    try:
        yield
    except MALFORMED as error:
        raise get_adapter().validation_error("incorrect_code") from error


class AddPasskeyForm(forms.AddWebAuthnForm):
    def clean(self) -> Any:
        with _malformed_is_wrong():
            return super().clean()


class AuthenticatePasskeyForm(forms.AuthenticateWebAuthnForm):
    def clean_credential(self) -> Any:
        with _malformed_is_wrong():
            return super().clean_credential()


class ReauthenticatePasskeyForm(forms.ReauthenticateWebAuthnForm):
    def clean_credential(self) -> Any:
        with _malformed_is_wrong():
            return super().clean_credential()

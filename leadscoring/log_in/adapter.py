"""What django-allauth asks us."""

import base64
import secrets
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import unstash_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from leadscoring.common.cipher import cipher_for
from leadscoring.log_in import events, recent, refusals
from leadscoring.log_in.client import client_address
from leadscoring.log_in.hashing import HashingBusyError
from leadscoring.log_in.known_browser import browser_of, remember_browser

SECOND_FACTORS = "second factors"


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "This username and password do not let you in.",
        "incorrect_password": "That is not your password.",
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def is_ajax(self, request: HttpRequest) -> bool:
        """Our pages are forms; an answer as JSON would repeat what was typed."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Lead nowhere but to this site, as Django does."""
        request = context.request
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not recent.is_recent(context.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        company = {"id": "company", "description": "", "url": reverse("company_log_in")}
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [*ways, company] if settings.OIDC_ISSUER and user.is_authenticated else ways

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        if code in ("too_many_login_attempts", "rate_limited"):
            raise ImmediateHttpResponse(
                refusals.too_many_tries(context.request, refusals.FAILED_TRIES)
            )
        return super().validation_error(code, *args)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        try:
            return super().authenticate(request, **credentials)
        except HashingBusyError:
            self._rollback_login_failed_rl_usage()  # nothing was tried
            raise

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What failed tries are counted by: the account alone, since a client chooses the host's name."""
        username = str(credentials.get("username", ""))
        browser = browser_of(request, username)
        return f"browser:{browser}" if browser else f"account:{username.lower()}"

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        remember_browser(request, response, user.get_username())
        return response

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        events.record("refused", user, request)
        return redirect("account_login")


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "That code is not right, or was used already.",
    }

    def encrypt(self, text: str) -> str:
        """Keep secrets so that a copy of the database alone gives nobody a second factor."""
        return cipher_for(SECOND_FACTORS).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret; one that nobody knows when SECRET_KEY is another than it was."""
        try:
            return cipher_for(SECOND_FACTORS).decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """A passkey belongs to the public address, by whatever name the site was reached."""
        return {"id": urlsplit(settings.BASE_URL).hostname or "", "name": settings.MFA_TOTP_ISSUER}

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        return f"Passkey {Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1}"

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        if code == "incorrect_code":
            events.record("refused", _who_tries(context.request), context.request)
        return super().validation_error(code, *args)


def _who_tries(request: HttpRequest) -> Any:
    if request.user.is_authenticated:
        return request.user
    begun = unstash_login(request, peek=True)
    return begun.user if begun else None

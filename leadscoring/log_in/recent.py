"""Who does something that cannot be taken back proves first that it is still the same person."""

import time

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode


def note_log_in(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Count the log-in itself as proof, by whatever way it was made."""
    record_authentication(request, user, method="log_in", reauthenticated=True)


def is_recent(request: HttpRequest) -> bool:
    """Return whether password or second factor were given in the last 15 minutes."""
    records = get_authentication_records(request, request.user)
    proofs = [each["at"] for each in records if each.get("reauthenticated")]
    return bool(proofs) and time.time() - proofs[-1] < app_settings.REAUTHENTICATION_TIMEOUT


def ask_again(request: HttpRequest, then: str = "") -> HttpResponse | None:
    """Return the way to the page that asks for the password; None when it was given lately.

    `then`: where it leads on to; "" for where the request came to. A form that was sent is not kept: it
    may hold another person's password.
    """
    if is_recent(request):
        return None
    ways = get_adapter().get_reauthentication_methods(request.user)
    if not ways:
        raise PermissionDenied("There is no password or second factor to ask for.")
    return redirect(f"{ways[0]['url']}?{urlencode({'next': then or request.get_full_path()})}")

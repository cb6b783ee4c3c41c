"""A browser in which an account was used before has its own count of failed tries.

So who guesses an account's password from elsewhere uses up the count of strangers, and its owner
still gets in (OWASP's device cookies).
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "known_browser"
KEPT = timedelta(days=90)


def _signer(username: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"known browser:{username.lower()}")


def browser_of(request: HttpRequest, username: str) -> str | None:
    """Return what tells the browser from others, if the account of that name was used in it."""
    try:
        return _signer(username).unsign(request.COOKIES.get(COOKIE, ""), max_age=KEPT)
    except signing.BadSignature:
        return None


def remember_browser(request: HttpRequest, response: HttpResponse, username: str) -> None:
    browser = browser_of(request, username) or secrets.token_urlsafe(16)
    response.set_cookie(
        COOKIE, _signer(username).sign(browser), max_age=KEPT, path="/admin/",
        secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax",
    )  # fmt: skip

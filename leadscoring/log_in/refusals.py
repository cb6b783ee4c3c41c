"""The page for who has to wait, and the page's reason in the log."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from leadscoring.log_in import events

# The longest time after which a limit lets somebody try again.
FAILED_TRIES, TRIES = 300, 60  # seconds


def too_many_tries(request: HttpRequest, seconds: int = TRIES) -> HttpResponse:
    """Answer that a limit on guessing is reached."""
    user = request.user if request.user.is_authenticated else None
    events.record("throttled", user, request)
    return _refuse(request, 429, seconds)


def busy(request: HttpRequest, seconds: int) -> HttpResponse:
    """Answer that too many passwords are being looked at."""
    events.record("busy", request=request)
    return _refuse(request, 503, seconds)


def _refuse(request: HttpRequest, status: int, seconds: int) -> HttpResponse:
    shown = {"too_many": status == 429, "seconds": seconds, "minutes": round(seconds / 60)}
    answer = render(request, "account/later.html", shown, status=status)
    answer["Retry-After"] = str(seconds)
    answer["Cache-Control"] = "no-store"
    return answer

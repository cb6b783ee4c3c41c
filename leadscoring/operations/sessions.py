"""Sessions end after some hours without use, not after some hours: each use prolongs them.

Django can store a session at every request, which is a write for every page; here it is one now and then.
"""

from collections.abc import Callable
from time import time

from django.http import HttpRequest, HttpResponse

from leadscoring.log_in.sessions import record_session

USED_AT = "used_at"
NOTED_EVERY = 600  # seconds


def note_use(request: HttpRequest) -> None:
    request.session[USED_AT] = int(time())


def prolong_session(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Note now and then that a session is used, which stores it with its full time anew."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and _is_due(request.session.get(USED_AT)):
            note_use(request)
            record_session(request, request.user)
        return get_response(request)

    return middleware


def _is_due(used_at: object) -> bool:
    return not isinstance(used_at, int) or time() - used_at >= NOTED_EVERY

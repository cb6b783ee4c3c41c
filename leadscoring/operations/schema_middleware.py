"""Answer 503 while code and tables do not fit, so that no request fails in an upgrade."""

from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from leadscoring.api.errors import ApiError
from leadscoring.operations import schema

RETRY_AFTER = 2  # seconds
BEING_UPGRADED = "The database is being upgraded; try again in a moment."


class SchemaMiddleware:
    """Answer 503 while code and tables do not fit.

    Once they fit, the tables are looked at again only when a request has failed: a release that is
    upgraded under a running process makes it fail, and costs no query before.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.fits = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self.fits:
            try:
                if schema.mismatch():
                    return unavailable(request)
                self.fits = True
            except DatabaseError:
                pass  # who needs the database says that it does not answer
        response = self.get_response(request)
        if response.status_code == 500 and _does_not_fit():
            self.fits = False
            return unavailable(request)
        return response


def _does_not_fit() -> bool:
    """Return whether a mismatch may be what made a request fail."""
    try:
        return bool(schema.mismatch())
    except DatabaseError:
        return False


def unavailable(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        answer = ApiError(503, message=BEING_UPGRADED).response()
    else:
        answer = HttpResponse(f"{BEING_UPGRADED}\n", status=503, content_type="text/plain")
    answer["Retry-After"] = str(RETRY_AFTER)
    return answer

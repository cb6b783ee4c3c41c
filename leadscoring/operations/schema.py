"""Whether the database's tables are those that this process was written for.

A web process of a new release may run before the migrations do, one of the old release may still
run after them. Neither fails then: it answers 503 with `Retry-After`, stores nothing, and the client
asks again. Tasks are skipped (`doorbell`): the next wake-up finds what is due.
"""

from collections.abc import Callable
from functools import cache

from django.db import DatabaseError, ProgrammingError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse

from leadscoring.api.errors import ApiError

RETRY_AFTER = 2  # seconds
BEING_UPGRADED = "The database is being upgraded; try again in a moment."
# Asked for the present state, or without need of the tables.
EXEMPT = ("/healthz", "/readyz", "/metrics")


@cache
def known() -> frozenset[tuple[str, str]]:
    """Return (app, name) of all migrations that this code brings."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(loader.disk_migrations or ())


def mismatch() -> str:
    """Return why this code and the database's tables do not fit each other, or "". One query."""
    try:
        applied = set(MigrationRecorder.Migration.objects.values_list("app", "name"))
    except ProgrammingError:  # not even the table that lists them is there
        applied = set()
    if missing := known() - applied:
        return f"{len(missing)} migrations are not applied"
    ours = {app for app, _ in known()}
    if any(app in ours for app, _ in applied - known()):
        return "the database was upgraded to a newer release than this process is"
    return ""


class Middleware:
    """Answer 503 while code and tables do not fit.

    Once they fit, the tables are looked at again only when a request has failed: a release that is
    upgraded under a running process makes it fail, and costs no query before.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.fits = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in EXEMPT:
            return self.get_response(request)
        if not self.fits:
            try:
                if mismatch():
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
        return bool(mismatch())
    except DatabaseError:
        return False


def unavailable(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        answer = ApiError(503, message=BEING_UPGRADED).response()
    else:
        answer = HttpResponse(f"{BEING_UPGRADED}\n", status=503, content_type="text/plain")
    answer["Retry-After"] = str(RETRY_AFTER)
    return answer

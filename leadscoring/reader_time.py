"""Times on the pages of the admin are in the reader's time zone; everywhere else they are in UTC."""

from collections.abc import Callable
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from leadscoring.common.time_zones import known_time_zones
from leadscoring.models import ReaderTimeZone

# Set by templates/static/time_zone.js.
COOKIE = "time_zone"


def in_readers_time(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer requests for the admin in the reader's time zone: what is shown, and what forms take."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(reverse("admin:index")):
            return get_response(request)
        with timezone.override(readers_zone(request)):
            return get_response(request)

    return middleware


def readers_zone(request: HttpRequest) -> tzinfo:
    """Return the zone that the user chose, else the browser's, else UTC."""
    name = chosen_zone(request.user.pk) or browsers_zone(request)
    return ZoneInfo(name) if name else UTC


def chosen_zone(user_id: int | None) -> str:
    """Return the name of the zone that a user chose; "" for none, or for one that is gone by now."""
    if user_id is None:
        return ""
    chosen = ReaderTimeZone.objects.filter(pk=user_id).values_list("zone", flat=True).first()
    return chosen if chosen in known_time_zones() else ""


def browsers_zone(request: HttpRequest) -> str:
    """Return the name of the zone that the browser gave; "" for none, or for one that we do not know."""
    given = request.COOKIES.get(COOKIE, "")
    return given if given in known_time_zones() else ""

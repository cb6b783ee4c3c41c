"""Write the access log of people: one entry for each answer that shows anybody."""

import re
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from leadscoring.access_log import collect_people
from leadscoring.api.errors import ApiError
from leadscoring.models import AccessEntry, Contact

Way = AccessEntry.Way
NOTHING_SHOWN = (403, 404)
BY_LINK = "whoever has the link"  # signed, and opened without a log-in
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")  # of a route


def record_readings(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let an answer that shows people leave only with its entry written."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with collect_people() as people:
            response = get_response(request)
        if not people or response.status_code in NOTHING_SHOWN or response.status_code >= 500:
            return response
        try:
            _record(request, people, now())
        except (OperationalError, InterfaceError):
            if request.path.startswith("/api/"):
                return ApiError(503).response()
            raise
        return response

    return middleware


def _record(request: HttpRequest, people: Collection[int], at: datetime) -> None:
    key = getattr(request, "auth", None)  # set by ninja
    user: Any = None if key or not request.user.is_authenticated else request.user
    way, place = _way_and_place(request)
    AccessEntry.objects.create(
        at=at,
        way=way,
        place=place,
        user=user,
        api_key=key,
        by=(key and key.name) or (user and user.get_username()) or BY_LINK,
        people=sorted(people),
    )


def _way_and_place(request: HttpRequest) -> tuple[Way, str]:
    """Return by which way a request reads, and where. Nothing that was typed is in it."""
    match: Any = request.resolver_match
    root, *rest = match.route.split("/")
    route = PARAMETER.sub(r"{\1}", match.route)
    if root == "api":
        return Way.API_MANY if route == match.route else Way.API_ONE, f"/{route}"
    try:
        model = apps.get_model(*rest[:2])
    except (LookupError, TypeError, ValueError):
        return Way.PAGE, "home" if match.url_name == "index" else f"/{route}"
    place = str(model._meta.verbose_name_plural)
    if not match.url_name.endswith("_changelist"):
        return Way.PERSON if model is Contact else Way.PAGE, place
    if request.method == "POST":  # the question before an action
        return Way.PAGE, place
    return Way.SEARCH if request.GET.get("q") else Way.LIST, place

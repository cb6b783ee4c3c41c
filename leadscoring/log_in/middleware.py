"""What holds for every page: nobody waits long for a hash, and a second factor may be a must."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from leadscoring.log_in import refusals
from leadscoring.log_in.hashing import RETRY_AFTER, HashingBusyError

Next = Callable[[HttpRequest], HttpResponse]


class HashingMiddleware:
    """Answer 503 when a password cannot be looked at soon, wherever it was typed."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refusals.busy(request, RETRY_AFTER) if isinstance(error, HashingBusyError) else None


# What who has no second factor yet can reach: setting one up, and the way out.
ALWAYS_OPEN = ("/admin/account/", "/admin/login/", "/admin/logout/")


class SecondFactorMiddleware:
    """Lead who has no second factor to where one is set up, if one is required."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.REQUIRE_SECOND_FACTOR and _lacks_second_factor(request):
            return redirect(reverse("mfa_index"))
        return self.get_response(request)


def _lacks_second_factor(request: HttpRequest) -> bool:
    from leadscoring.log_in.second_factor import has_second_factor

    is_open = not request.path.startswith("/admin/") or request.path.startswith(ALWAYS_OPEN)
    return not is_open and request.user.is_authenticated and not has_second_factor(request.user)

"""Pages on which rights are given: who opens or sends one has proved lately who they are."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from leadscoring.log_in.recent import ask_again

View = Callable[..., HttpResponse]


class SensitiveAdmin:
    """For a ModelAdmin: every page but the list asks again, and so does an action of the list."""

    def get_urls(self) -> list[Any]:
        patterns: list[Any] = super().get_urls()  # type: ignore[misc]  # ModelAdmin's
        for pattern in patterns:
            pattern.callback = _asking(pattern.callback, str(pattern.name).endswith("_changelist"))
        return patterns


def _asking(view: View, is_list: bool) -> View:
    @wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        reads_list = is_list and request.method != "POST"
        asks = admin.site.has_permission(request) and not reads_list
        return (ask_again(request) if asks else None) or view(request, *args, **kwargs)

    return asking

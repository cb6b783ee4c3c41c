"""The page between an action and its effect, where a person confirms it and says why."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.admin.unfold_types import ModelAdmin
from leadscoring.common.format import change_url
from leadscoring.common.text import bounded_line

SHOWN = 10


def is_confirmed(request: HttpRequest) -> bool:
    return "confirmed" in request.POST


def typed_reason(request: HttpRequest) -> str:
    """Return the typed reason as one line of at most 300 characters; "" when there is none."""
    return bounded_line(request.POST.get("reason", ""), 300)


def _return_url(rows: QuerySet[Any], request: HttpRequest) -> str:
    """Return the page on which the button was pressed: a row's own, or the list."""
    row = rows.first() if "from_page" in request.POST else None
    return change_url(row) if row else request.get_full_path()


def render_confirmation(
    page: ModelAdmin[Any],
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    action: str,
    title: str,
    what_happens: str,
    button: str,
    wants_reason: bool = False,
    choices: Sequence[tuple[str, str]] = (),
    choice_label: str = "Which",
    named: Callable[[Any], str] = str,
) -> TemplateResponse:
    """Show what an action would do to which rows; its button comes back with `confirmed`.

    `named`: how a row is shown. `choices`: what has to be chosen besides, as value and words. A
    missing reason or choice brings the page back with a sentence about it.
    """
    shown = list(rows[:SHOWN])
    if isinstance(page, AppModelAdmin):  # users of the admin are not people of the access log
        page.note_shown(shown)
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "opts": page.opts,
        "action": action,
        "what_happens": what_happens,
        "button": button,
        "wants_reason": wants_reason,
        "choices": choices,
        "choice_label": choice_label,
        "missing": is_confirmed(request),
        "count": rows.count(),
        "shown": [named(row) for row in shown],
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": request.POST.get("select_across", "0"),
        "from_page": "from_page" in request.POST,
        "cancel": _return_url(rows, request),
        "field": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/ask.html", context)

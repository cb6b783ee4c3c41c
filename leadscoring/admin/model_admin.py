"""What all admin pages share: bounded lists, and records that cannot be edited."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeVar

from django.contrib.admin import ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.paginator import Page as DjangoPage
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.timezone import now

from leadscoring.access_log import note_people
from leadscoring.admin.unfold_types import ChangeList, DropdownFilter, ModelAdmin, Paginator
from leadscoring.admin_theme import menu_title
from leadscoring.common.format import change_url
from leadscoring.intake.validation import CONTROL

Row = TypeVar("Row", bound=Model)


class LookupFilter(DropdownFilter):
    """A filter of a list: `lookups` offers the choices, `narrow` applies one. Others count for nothing."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        offered = {str(key) for key, _ in self.lookup_choices}
        return self.narrow(queryset, chosen) if chosen in offered else queryset

    def narrow(self, rows: Any, chosen: str) -> QuerySet[Any]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class FilterQuestion:
    """Something that people ask of a list. `pill`: offered above the list, not only in the filters.

    Those of a smaller `place` come first.
    """

    words: str
    answer: Callable[[Any, datetime], QuerySet[Any]]
    pill: bool = True
    place: int = 5


class QuestionFilter(LookupFilter):
    """A filter by questions; a subclass says which."""

    title = "question"
    parameter_name = "ask"
    questions: Mapping[str, FilterQuestion] = {}

    @classmethod
    def in_order(cls) -> list[tuple[str, FilterQuestion]]:
        return sorted(cls.questions.items(), key=lambda pair: pair[1].place)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, question.words) for key, question in self.in_order()]

    def narrow(self, rows: Any, chosen: str) -> QuerySet[Any]:
        return self.questions[chosen].answer(rows, now())


# A list counts and pages no further than this: people filter or search before page 400.
LISTED = 10_000


class BoundedPaginator(Paginator[Any]):
    @cached_property
    def count(self) -> int:
        """Return how many rows the list pages through, at most LISTED: its cost does not grow with the table."""
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:LISTED].count())

    def page(self, number: Any) -> Any:
        """Return a page of rows, found by their keys alone: sorting whole rows of a large table is slow."""
        number = self.validate_number(number)
        rows: Any = self.object_list
        start = (number - 1) * self.per_page
        keys = list(rows.values_list("pk", flat=True)[start : start + self.per_page])
        return DjangoPage(rows.filter(pk__in=keys), number, self)


def _has_usable_lookups(request: HttpRequest) -> bool:
    """Return whether the filters of a request are valid."""
    asked = [text for name, texts in request.GET.lists() for text in (name, *texts)]
    asked += request.POST.getlist(ACTION_CHECKBOX_NAME)
    return not any(CONTROL.search(text) for text in asked)


class BoundedChangeList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count  # else the title offers "Show all" of all


class NamedListAdmin(ModelAdmin[Row]):
    """A list that is called the same in its title as in the sidebar and the breadcrumb."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        named = {"title": menu_title(request.path) or capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, named | (extra_context or {}))


class AppModelAdmin(NamedListAdmin[Row]):
    """An admin page of ours. Actions name the permission that they need; deleting in bulk is none.

    `contact_path`: from a row to the id of the contact whom it shows; "" when it shows none. Whom
    the list and a row's page show goes into the access log.
    """

    paginator = BoundedPaginator
    list_per_page = 25
    list_max_show_all = 0
    list_filter_submit = True  # unfold's choices wait for the button "Apply filters"
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_before_template = "admin/pills.html"
    change_form_outer_before_template: str | None = "admin/verbs.html"
    about = ""  # a sentence above the list
    nothing = ""  # and what an empty list means
    contact_path = ""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Refuse a pattern typed into the address: it can be invalid, or take for ever."""
        patterns = lookup.endswith(("__regex", "__iregex"))
        return not patterns and super().lookup_allowed(lookup, value, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedChangeList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not _has_usable_lookups(request):
            return redirect(f"{request.path}?{ERROR_FLAG}=1")
        pills = [
            (key, question.words)
            for filter_ in self.get_list_filter(request)
            if isinstance(filter_, type) and issubclass(filter_, QuestionFilter)
            for key, question in filter_.in_order()
            if question.pill
        ]
        shown = {"pills": pills, "asked": request.GET.get("ask", "")}
        response = super().changelist_view(request, shown | (extra_context or {}))
        if changes := getattr(response, "context_data", {}).get("cl"):
            self.note_shown(changes.result_list)
        return response

    def people_of(self, row: Row) -> Iterable[int | None]:
        """Return the ids of the contacts whom a row shows."""
        return [attrgetter(self.contact_path)(row)] if self.contact_path else []

    def note_shown(self, rows: Iterable[Row]) -> None:
        for row in rows:
            note_people(self.people_of(row))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {k: v for k, v in super().get_actions(request).items() if k != "delete_selected"}

    def verbs(self, request: HttpRequest, obj: Any) -> list[str]:
        """Return the actions that a row's own page offers as buttons."""
        return list(self.get_actions(request))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        self.note_shown([row] if row else [])
        offered = self.verbs(request, row) if row else []
        words = {name: action[2] for name, action in self.get_actions(request).items() if action}
        shown = {
            "verbs": [(name, words[name]) for name in offered if name in words],
            "show_save_and_add_another": False,
            "list_url": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        return super().render_change_form(request, context | shown, *args, **kwargs)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Go back to the row's own page when the button was pressed there; else to the list.

        An action that leads on to a page of its own does.
        """
        response = super().response_action(request, queryset, *args, **kwargs)
        if isinstance(response, HttpResponseRedirect) and response.url != request.get_full_path():
            return response
        chosen = queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME)[:1])
        if "from_page" in request.POST and isinstance(response, HttpResponseRedirect):
            return redirect(change_url(row)) if (row := chosen.first()) else response
        return response

    def may(self, request: HttpRequest, codename: str) -> bool:
        """Return whether the user has a permission of this page's app."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.{codename}"))


class ReadOnlyModelAdmin(AppModelAdmin[Row]):
    """Rows that the product writes: people read them, and use verbs on them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, f"view_{self.opts.model_name}")

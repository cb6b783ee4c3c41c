"""What all our admin pages have in common: bounded lists, and records that nobody edits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.admin import ShowFacets
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

if TYPE_CHECKING:
    # unfold ships no types; its classes are Django's with another look.
    from django.contrib.admin import ModelAdmin, RelatedFieldListFilter as RelatedFilter
    from django.contrib.admin import SimpleListFilter as DropdownFilter
    from django.contrib.admin import StackedInline as Inline
    from django.contrib.admin.views.main import ChangeList
    from django.contrib.admin.widgets import AdminTextInputWidget as TextInput
    from django.core.paginator import Paginator
    from django.forms import ModelForm
else:
    from django import forms
    from django.core import paginator
    from unfold import admin as unfold
    from unfold.contrib.filters.admin import DropdownFilter
    from unfold.contrib.filters.admin import RelatedDropdownFilter as RelatedFilter
    from unfold.views import ChangeList
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput

    class Typed:
        """Lets a class be written with the model that it is for, which only type checkers read."""

        def __class_getitem__(cls, model):
            return cls

    class ModelAdmin(Typed, unfold.ModelAdmin):
        pass

    class Inline(Typed, unfold.StackedInline):
        pass

    class ModelForm(Typed, forms.ModelForm):
        pass

    class Paginator(Typed, paginator.Paginator):
        pass


Row = TypeVar("Row", bound=Model)


class Narrowing(DropdownFilter):
    """A filter of a list: `lookups` offers the choices, `narrow` applies one. Others count for nothing."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        offered = {str(key) for key, _ in self.lookup_choices}
        return self.narrow(queryset, chosen) if chosen in offered else queryset

    def narrow(self, rows: Any, chosen: str) -> QuerySet[Any]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Question:
    """Something that people ask of a list. `pill`: offered above the list, not only in the filters.

    Those of a smaller `place` come first.
    """

    words: str
    answer: Callable[[Any, datetime], QuerySet[Any]]
    pill: bool = True
    place: int = 5


class Asked(Narrowing):
    """A filter by questions; a subclass says which."""

    title = "question"
    parameter_name = "ask"
    questions: Mapping[str, Question] = {}

    @classmethod
    def in_order(cls) -> list[tuple[str, Question]]:
        return sorted(cls.questions.items(), key=lambda pair: pair[1].place)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, question.words) for key, question in self.in_order()]

    def narrow(self, rows: Any, chosen: str) -> QuerySet[Any]:
        return self.questions[chosen].answer(rows, now())


# A list counts and pages no further than this: nobody reads page 400, they filter or search.
LISTED = 10_000


class BoundedPaginator(Paginator[Any]):
    @cached_property
    def count(self) -> int:
        """How many rows the list pages through, at most LISTED: its cost does not grow with the table."""
        rows: Any = self.object_list
        return int(rows.order_by()[:LISTED].count())


class BoundedList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count  # else the title offers "Show all" of all


class Page(ModelAdmin[Row]):
    """An admin page of ours. Actions name the permission that they need; deleting in bulk is none."""

    paginator = BoundedPaginator
    list_per_page = 25
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_before_template = "admin/pills.html"
    about = ""  # a sentence above the list

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        pills = [
            (key, question.words)
            for filter_ in self.get_list_filter(request)
            if isinstance(filter_, type) and issubclass(filter_, Asked)
            for key, question in filter_.in_order()
            if question.pill
        ]
        shown = {"pills": pills, "asked": request.GET.get("ask", "")}
        return super().changelist_view(request, shown | (extra_context or {}))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Those of this page, and those that other apps added, which name the permission they need."""
        return {
            name: action
            for name, action in super().get_actions(request).items()
            if name != "delete_selected"
            and request.user.has_perms(filter(None, [getattr(action[0], "needs", "")]))
        }

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return super().render_change_form(
            request, context | {"show_save_and_add_another": False}, *args, **kwargs
        )

    def may(self, request: HttpRequest, codename: str) -> bool:
        """Whether the user has a permission of this page's app."""
        return bool(request.user.has_perm(f"{self.opts.app_label}.{codename}"))  # type: ignore[union-attr]


class Records(Page[Row]):
    """Rows that the product writes: people read them, and use verbs on them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, f"view_{self.opts.model_name}")

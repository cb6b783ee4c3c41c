"""Types of activities: what they are called, how many come, and what rules and sequences make of them."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from django.contrib import admin
from django.db.models import F, Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring.admin.activity_rules import may_make_rules, uses_by_type, uses_html
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.common import format
from leadscoring.extensions import ActivityUse
from leadscoring.models import ActivityType, Source, TypeCount

MOST_SHOWN = 20  # types that never came, and senders of one
MOST_COMPARED = 1_000  # types among which one that never came may be meant


@admin.register(ActivityType)
class ActivityTypeAdmin(AppModelAdmin[ActivityType]):
    about = (
        "What people do, as your website, product, files and mails name it, and what comes of it."
    )
    nothing = "Nothing has been sent to us yet: make an API key, or import a file."
    list_display = ("what", "recent", "in_all", "last_came", "used_by")
    list_before_template = "admin/leadscoring/activitytype/above.html"
    search_fields = ("name", "label")
    search_help_text = "Any part of the name"
    fields = ("label", "name", "recent", "in_all", "last_came", "senders", "used_by")
    readonly_fields = ("name", "recent", "in_all", "last_came", "senders", "used_by")

    def get_ordering(self, request: HttpRequest) -> tuple[Any, ...]:
        return (F("recent_").desc(), "name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ActivityType]:
        counts = TypeCount.objects.filter(type=OuterRef("pk")).order_by().values("type")
        recent = Coalesce(Subquery(counts.values_list(Sum("times"))), 0)
        last = Subquery(counts.values_list(Max("last_at")))
        rows = super().get_queryset(request).annotate(recent_=recent)
        return rows.annotate(
            ever=F("recent_") + F("came_before"), heard_at=Greatest(last, "came_last_at")
        )

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> ActivityType | None:
        row = super().get_object(request, object_id, from_field)
        if row:
            note_uses([row], uses_by_type(request.user, now()), may_make_rules(request.user))
        return row

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        uses = uses_by_type(request.user, now())
        shown = {"unheard": unheard_types(uses)}
        response = super().changelist_view(request, shown | (extra_context or {}))
        if changes := getattr(response, "context_data", {}).get("cl"):
            note_uses(changes.result_list, uses, may_make_rules(request.user))
        return response

    @admin.display(description="Activity", ordering="name")
    def what(self, row: ActivityType) -> SafeString:
        return format.two_lines_html(row, row.name if row.label else "")

    @admin.display(description="Last 30 days", ordering="recent_")
    def recent(self, row: Any) -> str:
        return f"{row.recent_:,}"

    @admin.display(description="In all", ordering="ever")
    def in_all(self, row: Any) -> str:
        return f"{row.ever:,}"

    @admin.display(description="Last came", ordering="heard_at")
    def last_came(self, row: Any) -> SafeString:
        return format.moment_html(row.heard_at)

    @admin.display(description="Used by")
    def used_by(self, row: Any) -> SafeString:
        return uses_html(row.name, row.uses, row.may_become_a_rule)

    @admin.display(description="Came from")
    def senders(self, row: ActivityType) -> SafeString:
        """Return who sent it in 30 days, the most first."""
        counted = TypeCount.objects.filter(type=row.name).values("source")
        counted = counted.annotate(times=Sum("times")).order_by("-times", "source")
        rows = list(counted.values_list("source", "times")[:MOST_SHOWN])
        known = Source.objects.in_bulk([name for name, _ in rows], field_name="name")
        return format_html_join(
            "", "<div>{} <span class=\"ls-soft\">{}</span></div>",
            ((format.row_html(known.get(name), name), f"{times:,}") for name, times in rows),
        ) or format.NOTHING  # fmt: skip


def note_uses(rows: Any, uses: Mapping[str, Collection[ActivityUse]], may: bool) -> None:
    """Let rows know what waits for them, and whether the user may make rules."""
    for row in rows:
        row.uses = uses.get(row.name, ())
        row.may_become_a_rule = may


def unheard_types(uses: Mapping[str, Collection[ActivityUse]]) -> list[dict[str, Any]]:
    """Return the types that something waits for and that never came, with what may be meant."""
    came = set(ActivityType.objects.filter(name__in=uses).values_list("name", flat=True))
    missing = sorted(uses.keys() - came)[:MOST_SHOWN]
    names = ActivityType.objects.order_by("name").values_list("name", flat=True)
    known = list(names[:MOST_COMPARED]) if missing else []
    return [
        {
            "type": type_,
            "uses": uses[type_],
            "meant": next(iter(get_close_matches(type_, known, n=1, cutoff=0.8)), ""),
        }
        for type_ in missing
    ]

"""Who sends people and activities: what came, and what could not be taken, with the reason."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring.admin.activity_rules import may_make_rules, uses_by_type, uses_html
from leadscoring.admin.model_admin import FilterQuestion, QuestionFilter, ReadOnlyModelAdmin
from leadscoring.common import format
from leadscoring.intake.silence import silent_sources
from leadscoring.models import ActivityType, NotTaken, Source, SourceCount, TypeCount

MOST_SHOWN = 50  # reasons on a source's page, and types


def filter_silent(rows: QuerySet[Source], at: datetime) -> QuerySet[Source]:
    return rows.filter(pk__in=[one.source_id for one in silent_sources(at)])


class SourceQuestions(QuestionFilter):
    questions = {
        "silent": FilterQuestion("Silent", filter_silent),
        "refused": FilterQuestion(
            "Not all taken in 24 hours", lambda rows, at: rows.filter(refused_in_day__gt=0)
        ),
    }


@admin.register(Source)
class SourceAdmin(ReadOnlyModelAdmin[Source]):
    about = "Who sends us people and activities. What could not be taken is kept for 30 days, with the reason."
    nothing = "Nobody sends anything yet: make an API key or a form."
    list_display = ("name", "sort", "last_hour", "last_day", "in_all", "last_came", "refused")
    ordering = ("name",)
    list_filter = (SourceQuestions,)
    fields = (
        "name",
        "sort",
        "last_hour",
        "last_day",
        "in_all",
        "last_came",
        "types",
        "refused",
        "reasons",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        at = now()
        reasons = NotTaken.objects.filter(source=OuterRef("pk")).order_by("-last_at")
        last = _counts().values_list(Max("last_at"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                in_hour=_sum("came", at - timedelta(hours=1)),
                in_day=_sum("came", at - timedelta(days=1)),
                ever=_sum("came"),
                refused_in_day=_sum("not_taken", at - timedelta(days=1)),
                refused_ever=_sum("not_taken"),
                heard_at=Subquery(last),
                last_reason=Subquery(reasons.values("message")[:1]),
                last_field=Subquery(reasons.values("field")[:1]),
            )
            .filter(Q(ended_at=None) | Q(ever__gt=0))
        )

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Source | None:
        source = super().get_object(request, object_id, from_field)
        shown: Any = source
        if shown:
            shown.is_silent = any(one.source_id == shown.pk for one in silent_sources(now()))
            shown.uses = uses_by_type(request.user, now())
            shown.may_make_rules = may_make_rules(request.user)
        return source

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if changes := getattr(response, "context_data", {}).get("cl"):
            silent = {one.source_id for one in silent_sources(now())}
            for source in changes.result_list:
                source.is_silent = source.pk in silent
        return response

    @admin.display(description="Kind", ordering="kind")
    def sort(self, source: Source) -> SafeString:
        kind = format.badge_html(source.get_kind_display())
        return kind if source.ended_at is None else format_html("{} ended", kind)

    @admin.display(description="Last hour", ordering="in_hour")
    def last_hour(self, source: Any) -> str:
        return f"{source.in_hour:,}"

    @admin.display(description="Last 24 hours", ordering="in_day")
    def last_day(self, source: Any) -> str:
        return f"{source.in_day:,}"

    @admin.display(description="In all", ordering="ever")
    def in_all(self, source: Any) -> str:
        return f"{source.ever:,}"

    @admin.display(description="Last came", ordering="heard_at")
    def last_came(self, source: Any) -> SafeString:
        heard = format.moment_html(source.heard_at)
        if not source.is_silent:
            return heard
        return format_html("{} {}", heard, format.badge_html("silent", "warm"))

    @admin.display(description="What it told in 30 days")
    def types(self, source: Any) -> SafeString:
        """Return the types of activities that came, the most first, and what waits for each."""
        counted = TypeCount.objects.filter(source=source.name).values("type")
        counted = counted.annotate(times=Sum("times"), last=Max("last_at"))
        rows = list(counted.order_by("-times", "type")[:MOST_SHOWN])
        called = ActivityType.objects.in_bulk([row["type"] for row in rows])
        lines = (
            (
                format.row_html(called.get(row["type"]), called.get(row["type"], row["type"])),
                _times(row["times"]),
                format.moment_html(row["last"]),
                uses_html(row["type"], source.uses.get(row["type"], ()), source.may_make_rules),
            )
            for row in rows
        )
        line = "<tr><td>{}</td><td class='ls-total'>{}</td><td>{}</td><td>{}</td></tr>"
        body = format_html_join("", line, lines)
        table = '<table class="ls-table"><tbody>{}</tbody></table>'
        return format_html(table, body) if body else format.NOTHING

    @admin.display(description="Not taken", ordering="refused_in_day")
    def refused(self, source: Any) -> SafeString:
        if not source.refused_ever:
            return format.NOTHING
        figures = f"{source.refused_in_day:,} in 24 hours, {source.refused_ever:,} in all"
        last = f"{source.last_field} {source.last_reason}" if source.last_reason else ""
        return format.two_lines_html(figures, last)

    @admin.display(description="Why")
    def reasons(self, source: Source) -> SafeString:
        """Return the reasons, the latest first, each with its last case, in which people's values are masked."""
        rows = source.not_taken.order_by("-last_at", "-pk")[:MOST_SHOWN]
        return format_html_join("", "{}", ((_reason_html(row),) for row in rows)) or format.NOTHING


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _counts() -> Any:
    return SourceCount.objects.filter(source=OuterRef("pk")).order_by().values("source")


def _sum(column: str, since: datetime | None = None) -> Coalesce:
    counts = _counts().filter(at__gt=since) if since else _counts()
    return Coalesce(Subquery(counts.values_list(Sum(column))), 0)


def _reason_html(row: NotTaken) -> SafeString:
    return format_html(
        '<div class="ls-refused"><b><bdi>{} {}</bdi></b> {} <span class="ls-soft">{}, last {}</span>'
        '<pre class="ls-example">{}</pre></div>',
        row.field,
        row.message,
        format.badge_html(row.kind or "no type"),
        _times(row.times),
        format.moment_html(row.last_at),
        json.dumps(row.example, indent=1, ensure_ascii=False),
    )

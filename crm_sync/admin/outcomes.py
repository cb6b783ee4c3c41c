"""Outcomes of leads: the figures by model, rule and rep, and the handoffs behind them."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from crm_sync.models import Outcome, Owner, RejectingStatus
from crm_sync.outcomes import counts
from leadscoring.admin.model_admin import AppModelAdmin, LookupFilter, ReadOnlyModelAdmin
from leadscoring.admin.search import PeopleSearch
from leadscoring.common import format

DAYS = {"30": "30 days", "90": "90 days", "365": "A year"}
USUAL = "90"
TONES = {"won": "good", "deal": "info", "lost": "bad", "refused": "warm"}


class PeriodFilter(LookupFilter):
    """Handed off in the last so many days; 90 by default."""

    title = "handed off in"
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(DAYS.items())

    def value(self) -> str:
        chosen = super().value()
        return chosen if chosen in DAYS else USUAL

    def narrow(self, rows: Any, chosen: str) -> QuerySet[Outcome]:
        found: QuerySet[Outcome] = rows.handed_off_since(period_start(chosen, now()))
        return found


class OutcomeFilter(LookupFilter):
    title = "became"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Outcome.State.choices]

    def narrow(self, rows: Any, chosen: str) -> QuerySet[Outcome]:
        found: QuerySet[Outcome] = rows.filter(state=chosen)
        return found


def period_start(period: str, at: datetime) -> datetime:
    return at - timedelta(days=int(period if period in DAYS else USUAL))


def outcome_figures(period: str, at: datetime) -> dict[str, Any]:
    """Return all figures above the list: five queries, whatever the number of models, rules and reps."""
    since = period_start(period, at)
    models = counts.count_by_model(since)
    return {
        "periods": DAYS.items(),
        "period": period if period in DAYS else USUAL,
        "all": counts.count_overall(models),
        "lost": counts.lost_reasons(since),
        "tables": [
            {"name": "Model", "rows": models},
            {"name": "Rule among the reasons", "rows": counts.count_by_rule(since)},
            {"name": "Rep", "rows": counts.count_by_rep(since)},
        ],
    }


@admin.register(Outcome)
class OutcomeAdmin(PeopleSearch[Outcome], ReadOnlyModelAdmin[Outcome]):
    list_before_template = "admin/crm_sync/outcomes.html"
    about = "What sales made of the leads they were given. It comes back from the CRM by itself."
    contact_path = "handoff.contact_id"
    nothing = "No lead was handed off in this time."
    list_display = ("who", "became", "why", "rep", "model", "handed_off", "came")
    list_select_related = ("handoff__contact__company", "model")
    list_filter = (PeriodFilter, OutcomeFilter)
    search_person = "handoff__contact"
    ordering = ("-handoff__delivered_at", "-pk")
    fields = ("who", "became", "why", "rep", "model", "handed_off", "came")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Outcome]:
        names = Owner.objects.filter(owner_id=OuterRef("handoff__owner_id")).values("name")[:1]
        return Outcome.objects.of_delivered().annotate(owner_name=Subquery(names))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        told = {"figures": outcome_figures(request.GET.get("period", USUAL), now())}
        return super().changelist_view(request, told | (extra_context or {}))

    @admin.display(description="Contact")
    def who(self, outcome: Outcome) -> SafeString:
        contact = outcome.handoff.contact
        company = contact.company
        return format.two_lines_html(
            contact, company.name if company else outcome.handoff.reference
        )

    @admin.display(description="Became", ordering="state")
    def became(self, outcome: Outcome) -> SafeString:
        return format.badge_html(outcome.get_state_display(), TONES.get(outcome.state, "plain"))

    @admin.display(description="Reason", ordering="reason")
    def why(self, outcome: Outcome) -> object:
        reason = counts.status_words(outcome.reason) if outcome.refused else outcome.reason
        return (
            format_html('<span class="ls-wrap"><bdi>{}</bdi></span>', reason)
            if reason
            else format.NOTHING
        )

    @admin.display(description="Rep")
    def rep(self, outcome: Any) -> SafeString:
        return format.nowrap_html(outcome.owner_name or outcome.handoff.owner_id)

    @admin.display(description="Handed off", ordering="handoff__delivered_at")
    def handed_off(self, outcome: Outcome) -> SafeString:
        return format.moment_html(outcome.handoff.delivered_at)

    @admin.display(description="Since", ordering="since")
    def came(self, outcome: Outcome) -> SafeString:
        return format.moment_html(outcome.since)


@admin.register(RejectingStatus)
class RefusalAdmin(AppModelAdmin[RejectingStatus]):
    about = "The lead statuses by which sales says no, as the CRM writes them. A lead that gets one after it was handed off counts as rejected, and sales hears of it again only after the model's cool-down."
    nothing = "No lead status counts as rejected."
    list_display = ("status",)
    ordering = ("status",)
    fields = ("status",)

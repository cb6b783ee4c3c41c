"""Deals as the CRM has them."""

from typing import Any

from django.contrib import admin
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString

from crm_sync.models import Deal, Stage
from leadscoring import shown
from leadscoring.admin.pages import Records


@admin.register(Deal)
class DealAdmin(Records[Deal]):
    nothing = "No contact of ours has a deal yet."
    list_display = ("__str__", "stage", "worth", "people", "seen")
    fields = ("name", "stage", "worth", "people", "deal_id", "seen")
    ordering = ("-pk",)
    search_fields = ("name__istartswith",)
    search_help_text = "Start of the deal's name"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deal]:
        stage = Stage.objects.filter(
            pipeline_id=OuterRef("pipeline_id"), stage_id=OuterRef("stage_id")
        )
        label = Subquery(stage.values("label")[:1])
        with_label = super().get_queryset(request).annotate(label=Coalesce(label, F("stage_id")))
        return with_label.prefetch_related("contacts")

    @admin.display(description="Stage")
    def stage(self, deal: Any) -> SafeString:
        if deal.won:
            return shown.badge(deal.label or "won", "good")
        return shown.badge(deal.label or "unknown", "bad" if deal.closed else "info")

    @admin.display(description="Amount", ordering="amount")
    def worth(self, deal: Deal) -> object:
        return shown.NOTHING if deal.amount is None else f"{deal.amount:,.2f}"

    @admin.display(description="Contacts")
    def people(self, deal: Deal) -> object:
        links = [shown.link(shown.page_of(one), one) for one in list(deal.contacts.all())[:10]]
        return shown.joined(links)

    @admin.display(description="Seen", ordering="seen_at")
    def seen(self, deal: Deal) -> SafeString:
        return shown.when(deal.seen_at)

"""Deals as the CRM has them."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString

from crm_sync.models import Deal, Stage
from leadscoring.admin.model_admin import ReadOnlyModelAdmin
from leadscoring.admin.search import PeopleSearch, find_people, search_names
from leadscoring.common import format
from leadscoring.models import Contact

MOST_NAMED = 10


@admin.register(Deal)
class DealAdmin(PeopleSearch[Deal], ReadOnlyModelAdmin[Deal]):
    nothing = "No contact of ours has a deal yet."
    list_display = ("__str__", "stage", "worth", "people", "seen")
    fields = ("name", "stage", "worth", "people", "deal_id", "seen")
    ordering = ("-pk",)
    search_help_text = "Any part of the deal's name, or of a person's name, company or e-mail"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deal]:
        stage = Stage.objects.filter(
            pipeline_id=OuterRef("pipeline_id"), stage_id=OuterRef("stage_id")
        )
        label = Subquery(stage.values("label")[:1])
        with_label = super().get_queryset(request).annotate(label=Coalesce(label, F("stage_id")))
        return with_label.prefetch_related("contacts")

    def search(self, rows: QuerySet[Deal], typed: str) -> QuerySet[Deal]:
        theirs = Deal.contacts.through.objects.filter(contact__in=find_people(typed))
        named = search_names(Deal.objects.all(), typed).values("pk")
        found: QuerySet[Deal] = rows.filter(pk__in=named.union(theirs.values("deal")))
        return found

    def people_of(self, row: Deal) -> list[int]:
        return [contact.pk for contact in named_contacts(row)]

    @admin.display(description="Stage")
    def stage(self, deal: Any) -> SafeString:
        if deal.won:
            return format.badge_html(deal.label or "won", "good")
        return format.badge_html(deal.label or "unknown", "bad" if deal.closed else "info")

    @admin.display(description="Amount", ordering="amount")
    def worth(self, deal: Deal) -> object:
        return format.NOTHING if deal.amount is None else f"{deal.amount:,.2f}"

    @admin.display(description="Contacts")
    def people(self, deal: Deal) -> object:
        return format.join_html(
            format.link_html(format.change_url(one), one) for one in named_contacts(deal)
        )

    @admin.display(description="Seen", ordering="seen_at")
    def seen(self, deal: Deal) -> SafeString:
        return format.moment_html(deal.seen_at)


def named_contacts(deal: Deal) -> Sequence[Contact]:
    return list(deal.contacts.all())[:MOST_NAMED]

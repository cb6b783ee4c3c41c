"""Deals as the CRM has them, and what each of their stages does to our mail."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, F, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.timezone import now

from crm_sync.effects import set_effect
from crm_sync.models import Deal, Stage
from leadscoring import shown
from leadscoring.admin.pages import Page, Records
from leadscoring.admin.unfolded import ModelForm
from leadscoring.models import Effect


class EffectForm(ModelForm[Stage]):
    class Meta:
        model = Stage
        fields = ("effect",)

    def clean_effect(self) -> str:
        """Once somebody has said what a stage does, it does something; it cannot be unsaid."""
        effect = str(self.cleaned_data["effect"])
        if self.instance.effect and not effect:
            raise forms.ValidationError("Choose what the stage does.")
        return effect


@admin.register(Stage)
class StageAdmin(Page[Stage]):
    form = EffectForm
    nothing = "Stages appear when the CRM has been read."
    list_display = ("label", "pipeline", "kind", "effect", "by")
    list_editable = ("effect",)
    list_filter = ("pipeline",)
    list_per_page = 50
    # Those that nobody has set come first: they pause.
    ordering = (Case(When(effect="", then=0), default=1), "pipeline", "position", "pk")
    fields = ("pipeline", "label", "kind", "effect", "by")
    readonly_fields = ("pipeline", "label", "kind", "by")
    about = "What a deal in a stage does to the mail of its contacts. Of several deals the strictest decides."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[ModelForm[Stage]]:
        return self.get_form(request, fields=("effect",))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Stage]:
        return super().get_queryset(request).filter(archived=False)

    @admin.display(description="Kind")
    def kind(self, stage: Stage) -> SafeString:
        if stage.closed:
            return shown.badge("won", "good") if stage.won else shown.badge("lost", "bad")
        chance = "" if stage.probability is None else f", {stage.probability:.0%} likely"
        return shown.badge(f"open{chance}")

    @admin.display(description="Set by")
    def by(self, stage: Stage) -> object:
        if not stage.effect:
            return shown.badge("nobody yet: it pauses", "warm")
        return stage.set_by or shown.NOTHING

    def save_model(self, request: HttpRequest, obj: Stage, form: Any, change: bool) -> None:
        """Whose mail it concerns pauses, stops or goes on at once."""
        if "effect" in form.changed_data:
            touched = set_effect(obj, Effect(obj.effect), request.user.get_username(), now())
            words = "contact changes" if touched == 1 else "contacts change"
            self.message_user(
                request, f"{obj}: {obj.get_effect_display().lower()}. {touched} {words} with it."
            )


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

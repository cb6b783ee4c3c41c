"""Pipelines and their stages as a board: what a deal in each does to the mail of its contacts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.timezone import now

from crm_sync.deals.effect_preview import preview_effects
from crm_sync.deals.stage_policy import set_effects
from crm_sync.models import Deal, Stage
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.models import Effect

BOARD = "admin:crm_sync_stage_changelist"


@dataclass(frozen=True, slots=True)
class StageCard:
    """A stage, how many deals and people of ours are in it, and the effect that is chosen for it."""

    stage: Stage
    counts: Sequence[int]
    chosen: str

    @property
    def deals(self) -> int:
        return self.counts[0]

    @property
    def people(self) -> int:
        return self.counts[1]

    @property
    def chance(self) -> str:
        known = not self.stage.closed and self.stage.probability is not None
        return f"{self.stage.probability:.0%} likely" if known else ""


@admin.register(Stage)
class StageAdmin(AppModelAdmin[Stage]):
    """The board, as the list and as the page of each stage: effects are seen beside each other."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method != "POST" or "effects" not in request.POST:
            return self.board(request, {})
        if not self.has_change_permission(request):
            raise PermissionDenied
        wanted = posted_changes(request.POST)
        if not wanted:
            self.message_user(request, "Nothing was changed.", messages.INFO)
            return redirect(BOARD)
        if "back" in request.POST:
            return self.board(request, wanted)
        return (
            self.save(request, wanted) if "confirmed" in request.POST else self.ask(request, wanted)
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        get_object_or_404(Stage, pk=object_id if object_id.isdecimal() else 0)
        return self.changelist_view(request, extra_context)

    def board(self, request: HttpRequest, chosen: Mapping[int, Effect]) -> HttpResponse:
        """Render the board. `chosen`: effects that were chosen and not saved, by the stage's key."""
        return self.page(
            request,
            "board",
            pipelines=pipeline_boards(chosen),
            effects=Effect.choices,
            may_change=self.has_change_permission(request),
        )

    def ask(self, request: HttpRequest, wanted: Mapping[int, Effect]) -> HttpResponse:
        rows = Stage.objects.filter(pk__in=wanted).order_by("pipeline", "position", "pk")
        return self.page(
            request,
            "preview",
            changes=[(stage, wanted[stage.pk]) for stage in rows],
            preview=preview_effects(wanted),
        )

    def save(self, request: HttpRequest, wanted: Mapping[int, Effect]) -> HttpResponse:
        """Save the effects: mail of the contacts concerned pauses, stops or resumes at once."""
        touched = set_effects(wanted, request.user.get_username(), now())
        for stage in Stage.objects.filter(pk__in=wanted):
            self.log_change(request, stage, f"Effect: {stage.get_effect_display().lower()}")
        stages = "1 stage" if len(wanted) == 1 else f"{len(wanted)} stages"
        people = "1 contact changes" if touched == 1 else f"{touched:,} contacts change"
        self.message_user(request, f"{stages} saved. {people} with it.")
        return redirect(BOARD)

    def page(self, request: HttpRequest, name: str, **shown: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Deal stages",
            "opts": self.opts,
        }
        return TemplateResponse(request, f"admin/crm_sync/stage/{name}.html", context | shown)


def posted_changes(sent: Mapping[str, str]) -> dict[int, Effect]:
    """Return effects in a form that differ from the stored ones, by the stage's key. Skip invalid ones."""
    found = {}
    for stage in Stage.objects.all():
        effect = sent.get(f"effect-{stage.pk}", "")
        if effect in Effect and effect != stage.effect:
            found[stage.pk] = Effect(effect)
    return found


def pipeline_boards(chosen: Mapping[int, Effect]) -> list[tuple[str, list[StageCard]]]:
    """Return each pipeline's name and cards; archived stages last. Two queries."""
    counted = Deal.objects.values_list("pipeline_id", "stage_id").annotate(
        deals=Count("pk", distinct=True), people=Count("contacts", distinct=True)
    )
    counts = {(pipeline, stage): rest for pipeline, stage, *rest in counted.order_by()}
    cards = [
        StageCard(
            stage,
            counts.get((stage.pipeline_id, stage.stage_id), (0, 0)),
            chosen.get(stage.pk, stage.effect),
        )
        for stage in Stage.objects.order_by("pipeline", "pipeline_id", "archived", "position", "pk")
    ]
    columns = groupby(cards, key=lambda card: (card.stage.pipeline_id, card.stage.pipeline))
    return [(name, list(column)) for (_, name), column in columns]

"""Which rep gets which leads: the rules as sentences in their order, and leads by rep."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.views.decorators.http import require_POST

from crm_sync.account import account_time_zone
from crm_sync.admin.reps import rep_state
from crm_sync.admin.rule_form import OWNERS, RotationInline, RuleForm
from crm_sync.models import Handoff, Owner, RoutingRule
from crm_sync.routing.territories import (
    ModelFileError,
    territory_condition,
    territory_facts,
    territory_matcher,
)
from crm_sync.routing.working_hours import time_zone_named
from leadscoring.access_log import note_people
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.common import format
from leadscoring.engine import wording
from leadscoring.models import Contact

Kind = RoutingRule.Kind
WEEK = timedelta(days=7)
MOST_NAMED = 12
LOOKED_AT = 500  # contacts that a territory is tested on


@admin.register(RoutingRule)
class RoutingRuleAdmin(AppModelAdmin[RoutingRule]):
    form = RuleForm
    list_display = ("rule", "enabled", "order")
    list_editable = ("enabled",)
    list_per_page = 100
    ordering = ("position",)
    list_after_template = "admin/crm_sync/shares.html"
    about = "Who gets a lead: of these rules in order, the first that finds a rep who is there and has not had their most leads of the day."
    nothing = "Without a rule all leads go to the fallback."

    def get_queryset(self, request: HttpRequest) -> Any:
        number = Window(RowNumber(), order_by="position")  # deleted rules leave no gap
        rules = super().get_queryset(request).annotate(number=number)
        return rules.prefetch_related("places__owner")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("kind", "name", "condition", "enabled")
        of_territory = ("condition", "reach") if obj.kind == Kind.TERRITORY else ()
        return ("kind", "name", *of_territory, "enabled")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Make the kind of an existing rule read-only; another rule is quickly made."""
        return ("kind", "reach") if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [] if obj and obj.kind in OWNERS else [RotationInline]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"kind": Kind.TERRITORY, **super().get_changeform_initial_data(request)}

    def get_urls(self) -> list[Any]:
        move = self.admin_site.admin_view(self.move)
        name = "crm_sync_routingrule_move"
        return [path("<int:pk>/move/<str:way>/", move, name=name), *super().get_urls()]

    @method_decorator(require_POST)
    def move(self, request: HttpRequest, pk: int, way: str) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        get_object_or_404(RoutingRule, pk=pk).move(up=way == "up")
        return redirect("admin:crm_sync_routingrule_changelist")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        rows = lead_shares(now())
        fallback = next((row["rep"] for row in rows if row["rep"].is_fallback), None)
        page = {"shares": rows, "fallback": fallback}
        return super().changelist_view(request, page | (extra_context or {}))

    # --- list

    @admin.display(description="Rule")
    def rule(self, rule: Any) -> SafeString:
        return format_html(
            '<b>{}. <bdi>{}</bdi></b> <span class="ls-wrap ls-soft"><bdi>{}</bdi></span>',
            rule.number,
            rule.name,
            rule_sentence(rule),
        )

    @admin.display(description="Order")
    def order(self, rule: RoutingRule) -> SafeString:
        """Render buttons of the form around the list, each with an address of its own."""
        ways = [("up", "↑", "Up"), ("down", "↓", "Down")]
        buttons = [
            format_html(
                '<button class="ls-button ls-small" formaction="{}" formnovalidate title="{}" '
                'aria-label="{} {}">{}</button>',
                reverse("admin:crm_sync_routingrule_move", args=[rule.pk, way]),
                word, word, rule.name, sign,
            )
            for way, sign, word in ways
        ]  # fmt: skip
        return format_html('<span class="ls-when">{} {}</span>', *buttons)

    # --- page

    @admin.display(description="At present")
    def reach(self, rule: RoutingRule) -> str:
        return territory_reach(rule.condition)


def rule_sentence(rule: RoutingRule) -> str:
    """Return what a rule does, as a sentence for readers of the list."""
    if rule.kind == Kind.CONTACT_OWNER:
        return "Whoever owns the contact in the CRM gets the lead."
    if rule.kind == Kind.COMPANY_OWNER:
        return "Whoever owns the contact’s company in the CRM gets the lead."
    takers = takers_sentence(rule)
    if rule.kind == Kind.TURN:
        return f"All leads go in turn to {takers}."
    try:
        return f"When {wording.describe_condition(territory_condition(rule.condition))}: in turn to {takers}."
    except ModelFileError as error:
        return f"Its condition cannot be read any more: {error}."


def takers_sentence(rule: RoutingRule) -> str:
    """Return the reps, as in "Ann (3), Bob (1)", with their weights where these differ."""
    weights = [(str(one.owner), one.weight or one.owner.weight) for one in rule.places.all()]
    differ = len({weight for _, weight in weights}) > 1
    names = [f"{name} ({weight})" if differ else name for name, weight in weights]
    more = [f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return ", ".join(names[:MOST_NAMED] + more) or "everybody who takes leads"


def territory_reach(condition: str) -> str:
    """Test a territory on recently active contacts: a condition may match none of them."""
    try:
        ours = territory_matcher(condition)
    except ModelFileError as error:
        return f"It cannot be read any more: {error}."
    latest = Contact.objects.select_related("company").order_by("-last_activity_at")[:LOOKED_AT]
    tried = list(latest)
    found = [one for one in tried if ours(territory_facts(one))]
    note_people(one.pk for one in found[:3])
    such = f", such as {', '.join(map(str, found[:3]))}" if found else ""
    return f"{len(found)} of the {len(tried)} contacts who did something last{such}."


def lead_shares(at: datetime) -> list[dict[str, Any]]:
    """Return each rep's leads of today and of seven days, the most first. Three queries.

    A lead belongs to the day on which it became ready for sales, by the account's clock.
    """
    zone = account_time_zone()
    midnight = at.astimezone(time_zone_named(zone)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    told = Handoff.objects.delivered().filter(crossed_at__gte=at - WEEK).order_by()
    counts = {
        owner_id: (today, week)
        for owner_id, today, week in told.values_list("owner_id").annotate(
            today=Count("pk", filter=Q(crossed_at__gte=midnight)), week=Count("pk")
        )
    }
    rows = [
        {"rep": rep, "url": format.change_url(rep), "state": rep_state(rep, at, zone),
         "today": counts.get(rep.owner_id, (0, 0))[0], "week": counts.get(rep.owner_id, (0, 0))[1]}
        for rep in Owner.objects.order_by("name", "pk")
        if rep.active or rep.owner_id in counts
    ]  # fmt: skip
    most = max((row["week"] for row in rows), default=0) or 1
    ordered = sorted(rows, key=lambda row: -row["week"])
    return [{**row, "share": round(100 * row["week"] / most)} for row in ordered]

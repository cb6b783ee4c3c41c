"""The reps: who takes leads and how many, when they are away, in which hours they work."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.timezone import now

from crm_sync.account import account_time_zone
from crm_sync.admin.rep_form import DAYS, RepForm
from crm_sync.admin.task_giving import (
    give_open_tasks,
    last_giving,
    open_task_counts,
    open_tasks_text,
)
from crm_sync.models import Handoff, Owner
from crm_sync.routing.availability import (
    is_away,
    is_rejected,
    leads_on_day,
    local_day,
    return_day_text,
)
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.common import format


@admin.register(Owner)
class OwnerAdmin(AppModelAdmin[Owner]):
    form = RepForm
    list_display = ("rep", "state", "takes_leads", "weight", "today", "hours", "fallback", "last_lead")  # fmt: skip
    nothing = "Reps appear when the CRM has been read."
    list_editable = ("takes_leads", "weight")
    list_display_links = ("rep",)
    ordering = ("-active", "name", "pk")
    list_per_page = 50
    readonly_fields = ("name", "email", "state", "last_lead", "seen", "open_tasks", "giving")
    actions = ("give_tasks",)
    fieldsets = (
        (None, {"fields": (("name", "email"), ("state", "last_lead", "seen"), ("open_tasks", "giving"))}),
        ("Leads", {"fields": ("takes_leads", "weight", "most_a_day", "is_fallback")}),
        ("Away", {"fields": (("away_from", "away_until"),)}),
        (
            "Working hours",
            {
                "description": "By them it is reckoned when a lead should be called.",
                "fields": (
                    "time_zone", "working_days", ("opens", "closes"), ("country", "subdivision"),
                ),
            },
        ),
    )  # fmt: skip
    about = "The people in sales: who takes leads and how many, who is away, and in which hours they work. Who gets which leads is said by the routing rules."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_give_tasks_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    @admin.action(description="Give open tasks to others…", permissions=["give_tasks"])
    def give_tasks(self, request: HttpRequest, queryset: QuerySet[Owner]) -> HttpResponse | None:
        return give_open_tasks(self, request, queryset)

    def verbs(self, request: HttpRequest, obj: Owner) -> list[str]:
        return super().verbs(request, obj) if open_task_counts([obj.owner_id]) else []

    def get_queryset(self, request: HttpRequest) -> Any:
        self.zone = account_time_zone()
        return super().get_queryset(request)

    def save_model(self, request: HttpRequest, obj: Owner, form: Any, change: bool) -> None:
        """Save changed fields only: the rep's turn may move on while the page is open."""
        obj.save(update_fields=form.changed_data)

    @admin.display(description="Rep", ordering="name")
    def rep(self, owner: Owner) -> SafeString:
        return format.two_lines_html(owner, owner.email if owner.name else "")

    @admin.display(description="State", ordering="active")
    def state(self, owner: Owner) -> SafeString:
        return rep_state(owner, now(), self.zone)

    @admin.display(description="Leads today")
    def today(self, owner: Owner) -> str:
        had = leads_on_day(owner, local_day(owner, now(), self.zone))
        return str(had) if owner.most_a_day is None else f"{had} of {owner.most_a_day}"

    @admin.display(description="Works")
    def hours(self, owner: Owner) -> SafeString:
        return format.two_lines_html(format_hours(owner), owner.time_zone or self.zone)

    @admin.display(description="Fallback", ordering="is_fallback")
    def fallback(self, owner: Owner) -> SafeString:
        return format.badge_html("fallback", "info") if owner.is_fallback else format.NOTHING

    @admin.display(description="Last lead")
    def last_lead(self, owner: Owner) -> SafeString:
        return format.moment_html(owner.last_lead_at)

    @admin.display(description="Open tasks")
    def open_tasks(self, owner: Owner) -> SafeString:
        count = open_task_counts([owner.owner_id]).get(owner.owner_id, 0)
        tasks = format.list_url(Handoff, owner_id=owner.owner_id)
        return format.link_html(tasks, open_tasks_text(count)) if count else format.NOTHING

    @admin.display(description="Given to others")
    def giving(self, owner: Owner) -> str:
        return last_giving(owner) or format.NOTHING

    @admin.display(description="Seen")
    def seen(self, owner: Owner) -> SafeString:
        return format.moment_html(owner.seen_at)


def rep_state(owner: Owner, at: datetime, account_zone: str) -> SafeString:
    """Return whether the rep is available: active in the CRM, and not away."""
    today = local_day(owner, at, account_zone)
    if not owner.active:
        return format.badge_html("not active in the CRM", "bad")
    if is_rejected(owner, at):
        return format.badge_html("refused by the CRM", "bad")
    if is_away(owner, today):
        until = f" until {return_day_text(owner.away_until, today)}" if owner.away_until else ""
        return format.badge_html(f"away{until}", "warm")
    return format.badge_html("there", "good")


def format_hours(owner: Owner) -> str:
    """Return the hours, as in "Mon–Fri, 9:00–17:00"."""
    opens, closes = (f"{one.hour}:{one.minute:02}" for one in (owner.opens, owner.closes))
    return f"{format_days(owner.working_days or '12345')}, {opens}–{closes}"


def format_days(days: str) -> str:
    """Shorten a run of three days or more to its first and last."""
    names = [DAYS[day][:3] for day in days]
    in_a_row = days in "1234567" and len(days) > 2
    return f"{names[0]}–{names[-1]}" if in_a_row else ", ".join(names)

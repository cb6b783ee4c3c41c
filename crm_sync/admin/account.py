"""The connected CRM account, and the result of the last pull."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.timezone import now

from crm_sync.account_move import Move, MoveRefused, move_account, plan_move
from crm_sync.connect import connect
from crm_sync.models import Account, PullReport
from crm_sync.port import CrmError
from crm_sync.pull import sweep
from crm_sync.task_tracking.track import check_sentence
from leadscoring.admin.model_admin import ReadOnlyModelAdmin
from leadscoring.common import format
from leadscoring.log_in.recent import ask_again


@admin.register(Account)
class AccountAdmin(ReadOnlyModelAdmin[Account]):
    nothing = "No CRM has been read yet."
    list_display = ("account_id", "time_zone", "seen", "last_read")
    list_before_template = "admin/crm_sync/account/above.html"
    fields = ("account_id", "time_zone", "seen", "last_read", "outcome")

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.move)
        return [path("move/", page, name="crm_sync_account_move"), *super().get_urls()]

    def move(self, request: HttpRequest) -> HttpResponse:
        """Show what a move to the account of the present credentials would do; the button makes it."""
        if not request.user.is_superuser:
            raise PermissionDenied
        if asks := ask_again(request):
            return asks
        at, plan, error = now(), None, ""
        try:
            plan = plan_move(connect(), at)
            if plan and request.POST.get("account") == plan.there.id:
                move_account(connect(), plan, at)
                return self.moved(request, plan)
        except (CrmError, MoveRefused) as refused:
            error = str(refused)
        context = {
            **self.admin_site.each_context(request),
            "title": "Move to another CRM account",
            "opts": self.opts,
            "plan": plan,
            "error": error,
        }
        return TemplateResponse(request, "admin/crm_sync/account/move.html", context)

    def moved(self, request: HttpRequest, plan: Move) -> HttpResponse:
        text = f"Moved to {plan.crm} account {plan.there.id}. Everybody is looked for there now."
        self.message_user(request, text, messages.SUCCESS)
        return redirect("admin:crm_sync_account_changelist")

    def get_queryset(self, request: HttpRequest) -> Any:
        self.report = PullReport.objects.first()
        return super().get_queryset(request)

    @admin.display(description="First seen")
    def seen(self, account: Account) -> SafeString:
        return format.moment_html(account.seen_at)

    @admin.display(description="Last read")
    def last_read(self, account: Account) -> SafeString:
        return format.moment_html(self.report.finished_at if self.report else None)

    @admin.display(description="How it went")
    def outcome(self, account: Account) -> str:
        if self.report is None:
            return "Not read yet."
        contacts, deals = self.report.contacts, self.report.deals
        read = f"{contacts} contact{pluralize(contacts)} and {deals} deal{pluralize(deals)} read."
        crm = connect()
        how_often = f"{sweep.poll_sentence(crm)} {check_sentence(crm, now())}"
        return self.report.error or f"{read} {sweep.sweep_sentence()} {how_often}".strip()

"""The connected CRM account, and the result of the last pull."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.utils.safestring import SafeString

from crm_sync.models import Account, PullReport
from crm_sync.pull import sweep
from leadscoring.admin.model_admin import ReadOnlyModelAdmin
from leadscoring.common import format


@admin.register(Account)
class AccountAdmin(ReadOnlyModelAdmin[Account]):
    nothing = "No CRM has been read yet."
    list_display = ("account_id", "time_zone", "seen", "last_read")
    fields = ("account_id", "time_zone", "seen", "last_read", "outcome")

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
        return self.report.error or f"{read} {sweep.sweep_sentence()}"

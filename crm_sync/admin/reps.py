"""The people in sales: who takes leads, who is the fallback, in which hours."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from crm_sync.models import Owner
from leadscoring import shown
from leadscoring.admin.pages import Page
from leadscoring.admin.unfolded import ModelForm


class RepForm(ModelForm[Owner]):
    class Meta:
        model = Owner
        fields = ("takes_leads", "is_fallback", "time_zone")

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"]).strip()
        if zone and zone not in available_timezones():
            raise forms.ValidationError("Not a time zone; they look like Europe/Berlin.")
        return zone


@admin.register(Owner)
class OwnerAdmin(Page[Owner]):
    form = RepForm
    list_display = ("rep", "state", "takes_leads", "fallback", "time_zone", "last_lead")
    nothing = "Reps appear when the CRM has been read."
    list_editable = ("takes_leads",)
    list_display_links = ("rep",)
    ordering = ("-active", "name", "pk")
    list_per_page = 50
    readonly_fields = ("name", "email", "state", "last_lead", "seen")
    fields = (
        ("name", "email"),
        ("state", "last_lead", "seen"),
        "takes_leads",
        "is_fallback",
        "time_zone",
    )
    about = "Who gets a lead: its owner in the CRM if active; else, in turn, whoever takes leads; else the fallback."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Rep", ordering="name")
    def rep(self, owner: Owner) -> SafeString:
        return shown.two_lines(owner, owner.email if owner.name else "")

    @admin.display(description="In the CRM", ordering="active")
    def state(self, owner: Owner) -> SafeString:
        return (
            shown.badge("active", "good")
            if owner.active
            else shown.badge("no longer active", "bad")
        )

    @admin.display(description="Fallback", ordering="is_fallback")
    def fallback(self, owner: Owner) -> SafeString:
        return shown.badge("fallback", "info") if owner.is_fallback else shown.NOTHING

    @admin.display(description="Last lead", ordering="last_lead_at")
    def last_lead(self, owner: Owner) -> SafeString:
        return shown.when(owner.last_lead_at)

    @admin.display(description="Seen")
    def seen(self, owner: Owner) -> SafeString:
        return shown.when(owner.seen_at)

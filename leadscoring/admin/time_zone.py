"""The page on which users of the admin choose the time zone in which they read times."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from leadscoring.admin.unfold_types import Select
from leadscoring.common.time_zones import known_time_zones
from leadscoring.models import ReaderTimeZone
from leadscoring.reader_time import browsers_zone, chosen_zone


class TimeZoneForm(forms.Form):
    zone = forms.ChoiceField(label="Time zone", required=False, widget=Select)

    def __init__(self, *args: Any, browsers: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        automatic = ("", f"That of this browser: {browsers or 'UTC'}")
        zones = sorted(known_time_zones())
        self.fields["zone"].choices = [automatic, *zip(zones, zones, strict=True)]  # type: ignore[attr-defined]


def time_zone_page(request: HttpRequest) -> HttpResponse:
    """Show the user's own time zone; store another on POST."""
    form = TimeZoneForm(
        request.POST or None,
        browsers=browsers_zone(request),
        initial={"zone": chosen_zone(request.user.pk)},
    )
    if request.method == "POST" and form.is_valid():
        _choose_zone(request.user, form.cleaned_data["zone"])
        messages.success(request, "Saved.")
        return redirect("time_zone")
    context = {**admin.site.each_context(request), "title": "Time zone", "form": form}
    context["now"] = timezone.now()
    return TemplateResponse(request, "admin/leadscoring/time_zone.html", context)


def _choose_zone(user: Any, zone: str) -> None:
    """Store a user's zone; "" goes back to the browser's."""
    if zone:
        ReaderTimeZone.objects.update_or_create(user=user, defaults={"zone": zone})
    else:
        ReaderTimeZone.objects.filter(user=user).delete()


urlpatterns = [path("", admin.site.admin_view(time_zone_page), name="time_zone")]

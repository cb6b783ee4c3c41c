"""The page on which a marketer gets the line for a website, and sees the first event arrive."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring import api_keys
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.admin.unfold_types import ModelForm, TextArea, TextInput
from leadscoring.common import format
from leadscoring.models import ApiKey, Website
from leadscoring.websites import last_arrival, parse_domains, snippet_line

# A page that nobody looks at any more stops asking.
WATCHED = timedelta(minutes=15)


class WebsiteForm(ModelForm[Website]):
    name = forms.CharField(
        max_length=100,
        required=False,
        widget=TextInput,
        help_text="What it is called here, such as Website or Shop. With a key you have, it is the key's name.",
    )
    key = forms.CharField(
        label="A key you have",
        max_length=200,
        required=False,
        widget=TextInput,
        help_text="Leave it empty: a key is made. Only one that may only send belongs in a page.",
    )
    hosts = forms.CharField(
        label="Domains",
        widget=TextArea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="Where its pages are, one a line, such as example.com. Visitors who go from one "
        "to another, or come by a link in our mails, are known there.",
    )

    class Meta:
        model = Website
        fields = ("consent_required",)
        help_texts = {
            "consent_required": "Nothing is stored or sent before the visitor agrees. "
            "Without it, until the visitor says no."
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["hosts"] = "\n".join(self.instance.domains)

    def clean_hosts(self) -> list[str]:
        try:
            return parse_domains(self.cleaned_data["hosts"])
        except ValueError as wrong:
            raise forms.ValidationError(str(wrong)) from None

    def clean_key(self) -> ApiKey | None:
        text = self.cleaned_data["key"].strip()
        found = api_keys.find_key(text) if text else None
        if text and not (found and found.write_only):
            raise forms.ValidationError("This is not a key that may only send.")
        if found and Website.objects.filter(api_key=found).exists():
            raise forms.ValidationError("Another website has this key.")
        return found

    def clean(self) -> None:
        super().clean()
        given = self.cleaned_data
        wants_key = "name" in self.fields and given.get("key", "") is None
        if wants_key and (problem := _problem_of_name(given.get("name", ""))):
            self.add_error("name", problem)


def _problem_of_name(name: str) -> str:
    """Return why a new key cannot have this name, "" if it can."""
    try:
        api_keys.check_name(name)
    except ValueError as taken:
        return str(taken)
    if ApiKey.objects.filter(name=name).exists():
        return "A key has this name already; choose another."
    return "" if name else "Give it a name."


@admin.register(Website)
class WebsiteAdmin(AppModelAdmin[Website]):
    form = WebsiteForm
    change_form_template = "admin/leadscoring/website/change_form.html"
    about = "Sites whose pages tell us what visitors do: one line in each page."
    nothing = "No page sends anything yet: add a website."
    list_display = ("name_", "state", "where", "consent", "last_came")
    list_select_related = ("api_key",)
    ordering = ("api_key__name",)

    def get_fields(self, request: HttpRequest, obj: Website | None = None) -> tuple[str, ...]:
        return (
            ("hosts", "consent_required") if obj else ("name", "hosts", "consent_required", "key")
        )

    def get_form(
        self, request: HttpRequest, obj: Any | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        # The fields of the form are no fields of the model, which Django would ask for by name.
        kwargs["fields"] = ("consent_required",)
        form = super().get_form(request, obj, change, **kwargs)
        for name in {"name", "key"} if obj else ():
            form.base_fields.pop(name, None)
        return form

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep it: what it sent is known by its name. Revoking its key ends it."""
        return False

    @admin.display(description="Website", ordering="api_key__name")
    def name_(self, website: Website) -> str:
        return str(website)

    @admin.display(description="State")
    def state(self, website: Website) -> SafeString:
        ended = website.api_key.revoked_at
        return format.badge_html("key revoked", "bad") if ended else format.badge_html("on", "good")

    @admin.display(description="Domains")
    def where(self, website: Website) -> str:
        return ", ".join(website.domains)

    @admin.display(description="Visitors", ordering="consent_required")
    def consent(self, website: Website) -> str:
        return "are asked first" if website.consent_required else "may say no"

    @admin.display(description="Last came", ordering="api_key__last_used_at")
    def last_came(self, website: Website) -> SafeString:
        return format.moment_html(website.api_key.last_used_at)

    def save_model(self, request: HttpRequest, obj: Website, form: Any, change: bool) -> None:
        given = form.cleaned_data
        obj.domains = given["hosts"]
        if change:
            obj.save(update_fields=["domains", "consent_required"])
            return
        with transaction.atomic():
            obj.api_key, obj.write_key = given["key"], form.data["key"].strip()
            if given["key"] is None:
                obj.api_key, obj.write_key = api_keys.create_key(given["name"], write_only=True)
            obj.save()

    def response_add(
        self, request: HttpRequest, obj: Website, post_url_continue: str | None = None
    ) -> HttpResponse:
        return redirect(format.change_url(obj))

    # --- what arrives

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.arrival_view)
        name = "leadscoring_website_arrival"
        return [path("<int:pk>/arrival/", view, name=name), *super().get_urls()]

    def arrival_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what arrived; the website's page asks it again until something does."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        website = Website.objects.select_related("api_key").filter(pk=pk).first()
        asked = request.GET.get("since", "")
        if website is None or not asked.isdecimal() or len(asked) > 11:
            raise Http404
        shown = {"refreshed": True, **_arrival(website, datetime.fromtimestamp(int(asked), UTC))}
        return TemplateResponse(request, "admin/leadscoring/website/arrival.html", shown)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        website = context.get("original")
        if website:
            context |= {"line": snippet_line(website), **_arrival(website, now())}
        return super().render_change_form(request, context, *args, **kwargs)


def _arrival(website: Website, since: datetime) -> dict[str, Any]:
    arrival = last_arrival(website, since)
    fresh = arrival.at is not None and arrival.at >= since.replace(microsecond=0)
    return {
        "website": website,
        "arrival": arrival,
        "since": int(since.timestamp()),
        "fresh": fresh,
        "watching": not fresh and now() < since + WATCHED,
    }

"""Forms: what their fields become, the HTML to paste, and the addresses of form services."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring.admin import confirmation
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.admin.unfold_types import Inline, ModelForm, TextArea, TextInput
from leadscoring.common import format
from leadscoring.common.activity_type import spell_activity_type
from leadscoring.intake.forms import secrets
from leadscoring.intake.forms.paste import form_html
from leadscoring.intake.sources import check_free, end_sources, open_source
from leadscoring.models import Form, FormField, Source, SourceCount

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")


def _source_kind(form: Form) -> Source.Kind:
    return Source.Kind.FORM if form.kind == Form.Kind.PAGE else Source.Kind.HOOK


def _url(form: Form, secret: str) -> str:
    """Return where a form is sent to. `secret`: of a service's address."""
    way = f"forms/{form.name}" if form.kind == Form.Kind.PAGE else f"hooks/{form.kind}/{secret}"
    return f"{settings.BASE_URL}/{way}"


class FormForm(ModelForm[Form]):
    new_signing_secret = forms.CharField(
        max_length=500,
        required=False,
        strip=True,
        widget=TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="From the service's settings. It is not shown again. Empty: as it is.",
    )

    class Meta:
        model = Form
        fields = ("name", "kind", "activity_type", "thank_you", "origins")
        widgets = {"origins": TextArea(attrs={"rows": 3, "spellcheck": "false"})}

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        try:
            check_free(name, Source.Kind.FORM)
        except ValueError as taken:
            raise forms.ValidationError(str(taken)) from None
        return name

    def clean_activity_type(self) -> str:
        spelled = spell_activity_type(str(self.cleaned_data["activity_type"]))
        if not spelled:
            raise forms.ValidationError("It needs a letter or a digit.")
        return spelled

    def clean_origins(self) -> str:
        lines = [line.rstrip("/").lower() for line in str(self.cleaned_data["origins"]).split()]
        wrong = next((line for line in lines if not ORIGIN.fullmatch(line)), None)
        if wrong:
            raise forms.ValidationError(
                f"{wrong} is not a website such as https://www.example.com, without a page."
            )
        return "\n".join(dict.fromkeys(lines))


class FormFieldInline(Inline[FormField, Form]):
    model = FormField
    extra = 0
    fields = ("name", ("becomes", "property"))
    verbose_name_plural = "Fields. Those that are not here are guessed by their names"


@admin.register(Form)
class FormAdmin(AppModelAdmin[Form]):
    form = FormForm
    about = "Forms on your website, and form services that send here what people fill in."
    nothing = "No form yet."
    list_display = ("name", "kind", "activity", "last_came", "address")
    ordering = ("name",)
    actions = ("new_address", "forget_signing_secret")

    def get_fields(self, request: HttpRequest, obj: Form | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("name", "kind")
        if obj.kind == Form.Kind.PAGE:
            return ("name", "kind", "activity_type", "thank_you", "origins", "html")
        typed = () if obj.kind == Form.Kind.CALENDLY else ("activity_type",)
        return ("name", "kind", *typed, "address", "signed", "new_signing_secret")

    def get_readonly_fields(self, request: HttpRequest, obj: Form | None = None) -> tuple[str, ...]:
        return ("html", "signed", "address", *(("name", "kind") if obj else ()))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Form]:
        counts = SourceCount.objects.filter(source__name=OuterRef("name")).order_by("-last_at")
        heard_at = Subquery(counts.values("last_at")[:1])
        return super().get_queryset(request).annotate(heard_at=heard_at)

    def get_inlines(self, request: HttpRequest, obj: Form | None) -> Any:
        return (FormFieldInline,) if obj else ()

    def verbs(self, request: HttpRequest, obj: Any) -> list[str]:
        """Offer what a form service has: an address, and perhaps a signing secret."""
        offered = [] if obj.kind == Form.Kind.PAGE else super().verbs(request, obj)
        return [one for one in offered if obj.signing_secret or one != "forget_signing_secret"]

    @admin.display(description="Activity", ordering="activity_type")
    def activity(self, form: Form) -> str:
        return "meetings" if form.kind == Form.Kind.CALENDLY else form.activity_type

    @admin.display(description="Address")
    def address(self, form: Form) -> str:
        return _url(form, "…")

    @admin.display(description="Last came", ordering="heard_at")
    def last_came(self, form: Any) -> SafeString:
        return format.moment_html(form.heard_at)

    @admin.display(description="Signatures")
    def signed(self, form: Form) -> str:
        return "checked" if form.signing_secret else "not checked: there is no signing secret"

    @admin.display(description="HTML to paste into your page")
    def html(self, form: Form) -> SafeString:
        return format_html('<pre class="ls-example" tabindex="0">{}</pre>', form_html(form))

    def save_model(self, request: HttpRequest, obj: Form, form: Any, change: bool) -> None:
        given = form.cleaned_data
        if given.get("new_signing_secret"):
            obj.signing_secret = secrets.encrypt_signing_secret(given["new_signing_secret"])
        if not change and obj.kind != Form.Kind.PAGE:
            obj.secret = secrets.new_address_secret()  # type: ignore[attr-defined]  # for the answer alone
            obj.address_hash = secrets.hash_secret(obj.secret)  # type: ignore[attr-defined]  # as above
        obj.save()
        open_source(obj.name, _source_kind(obj), now())

    def delete_model(self, request: HttpRequest, obj: Form) -> None:
        obj.delete()
        end_sources([obj.name], now())

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Go on to the form's page; of a service show the address in this answer and nowhere else."""
        if obj.kind == Form.Kind.PAGE:
            return redirect(format.change_url(obj))
        return self._show_address(request, obj, obj.secret)

    def _show_address(self, request: HttpRequest, form: Form, secret: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Address of {form}",
            "address": _url(form, secret),
            "service": form.get_kind_display(),
            "page": format.change_url(form),
        }
        return TemplateResponse(request, "admin/leadscoring/form/made.html", context)

    @admin.action(description="Make a new address…", permissions=["change"])
    def new_address(self, request: HttpRequest, queryset: QuerySet[Form]) -> HttpResponse | None:
        services = queryset.exclude(kind=Form.Kind.PAGE)
        form = services.first()
        if form is None or services.count() > 1:
            self.message_user(request, "Choose one form of a form service.", messages.WARNING)
            return None
        if not confirmation.is_confirmed(request):
            return confirmation.render_confirmation(
                self, request, services, action="new_address", title="Make a new address",
                what_happens="The address that the service has now is refused from then on.",
                button="Make a new address",
            )  # fmt: skip
        secret = secrets.new_address_secret()
        services.update(address_hash=secrets.hash_secret(secret))
        self.log_change(request, form, "Made a new address")
        return self._show_address(request, form, secret)

    @admin.action(description="Forget the signing secret…", permissions=["change"])
    def forget_signing_secret(
        self, request: HttpRequest, queryset: QuerySet[Form]
    ) -> HttpResponse | None:
        signed = queryset.exclude(signing_secret="")
        if not confirmation.is_confirmed(request):
            return confirmation.render_confirmation(
                self, request, signed, action="forget_signing_secret", title="Forget signing secrets",
                what_happens="Signatures are not checked any more: whoever knows the address is believed.",
                button="Forget",
            )  # fmt: skip
        for form in signed:
            self.log_change(request, form, "Forgot the signing secret")
        forgotten = signed.update(signing_secret="")
        self.message_user(
            request, f"{forgotten} forgotten.", messages.SUCCESS if forgotten else messages.WARNING
        )
        return None

"""Which of our values goes into which property of the CRM and back, and what a push would send."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from crm_sync.account import check_account
from crm_sync.connect import connect
from crm_sync.mapping.field_compatibility import IN_WORDS, find_misfit
from crm_sync.mapping.property_choices import property_choices
from crm_sync.models import FieldMapping
from crm_sync.port import CrmError
from crm_sync.push.plan import PushPlan, plan_push
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.admin.unfold_types import ModelForm, TextInput
from leadscoring.common import format

ARROWS = {"out": ("→", "to the CRM"), "in": ("←", "from the CRM"), "both": ("↔", "both ways")}


class MappingForm(ModelForm[FieldMapping]):
    class Meta:
        model = FieldMapping
        fields = ("source", "value", "property", "direction", "policy", "format", "enabled")
        # Offered by the browser itself, from a list on the page: any other can be typed too.
        widgets = {
            "property": TextInput(
                attrs={"list": "properties", "autocomplete": "off", "spellcheck": "false"}
            )
        }
        help_texts = {
            "property": "The CRM’s own name of it. Type a part of its name to choose.",
            "format": "Days are those of UTC.",
        }

    def clean(self) -> dict[str, Any] | None:
        """Validate against the account's types and options; skip this when the CRM does not respond."""
        cleaned = super().clean() or {}
        cleaned["property"] = str(cleaned.get("property", "")).strip()
        if "property" in self.errors or not cleaned["property"]:
            return cleaned
        crm = connect()
        known = property_choices(crm)
        if known.away:
            return cleaned
        given = {name: cleaned.get(name, "") for name in self._meta.fields or ()}
        wrong = find_misfit(FieldMapping(**given), known.properties, crm.lifecycle_words)
        if wrong:
            self.add_error(*wrong)
        return cleaned


if TYPE_CHECKING:
    Rows = forms.BaseModelFormSet[FieldMapping, ModelForm[FieldMapping]]
else:
    Rows = forms.BaseModelFormSet


class MappingFormSet(Rows):
    """The list's switches: one value is filled by one property, also while two are switched at once."""

    def clean(self) -> None:
        super().clean()
        switched_on = [
            form.instance
            for form in self.forms
            if form.cleaned_data.get("enabled") and form.instance.takes()
        ]
        others = FieldMapping.objects.taken().exclude(pk__in=[one.pk for one in switched_on])
        filled = Counter(one.get_source_display() for one in (*switched_on, *others))
        for value, number in filled.items():
            if number > 1:
                raise forms.ValidationError(
                    f"{value} is filled by another property: switch that one off and save first."
                )


@admin.register(FieldMapping)
class FieldMappingAdmin(AppModelAdmin[FieldMapping]):
    form = MappingForm
    list_display = ("source", "way", "there", "winner", "value", "enabled")
    list_display_links = ("source",)
    list_editable = ("enabled",)
    list_filter = ("direction", "policy")
    list_per_page = 50
    ordering = ("pk",)
    list_before_template = "admin/crm_sync/fieldmapping/above.html"
    list_after_template = "admin/crm_sync/fieldmapping/who_wins.html"
    change_form_after_template = "admin/crm_sync/fieldmapping/form.html"
    fields = ("source", "value", "property", "direction", "policy", "format", "enabled")
    about = (
        "Which of our values is written into which property of the CRM, which of theirs we take "
        "over, and who wins where both say something."
    )

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_formset(request, formset=MappingFormSet, **kwargs)

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.plan)
        return [path("plan/", page, name="crm_sync_fieldmapping_plan"), *super().get_urls()]

    def plan(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request) or not request.user.has_perm(
            "leadscoring.view_contact"
        ):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "What would be sent",
            "opts": self.opts,
            "plan": push_plan_rows(),
        }
        return TemplateResponse(request, "admin/crm_sync/fieldmapping/plan.html", context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        known = property_choices(connect())
        offered = [
            (each.name, each.label, IN_WORDS.get(each.type, each.type))
            for each in sorted(known.properties, key=lambda each: each.label.casefold())
        ]
        page = {"offered": offered, "away": known.away}
        return super().changeform_view(request, object_id, form_url, page | (extra_context or {}))

    @admin.display(description="Direction", ordering="direction")
    def way(self, mapping: FieldMapping) -> SafeString:
        sign, words = ARROWS[mapping.direction]
        return format_html('<span class="ls-when"><b>{}</b> {}</span>', sign, words)

    @admin.display(description="Property there", ordering="property")
    def there(self, mapping: FieldMapping) -> SafeString:
        form = mapping.get_format_display() if mapping.format else ""
        return (
            format.two_lines_html(mapping.property, form)
            if form
            else format.nowrap_html(mapping.property)
        )

    @admin.display(description="Who wins", ordering="policy")
    def winner(self, mapping: FieldMapping) -> str:
        return mapping.get_policy_display()


def push_plan_rows() -> PushPlan:
    """Return what would be sent to the account whose ids are kept here; to no other."""
    crm, at = connect().with_priority("polling"), now()
    try:
        check_account(crm, at)
    except CrmError as error:
        return PushPlan(error=str(error))
    return plan_push(crm, at)

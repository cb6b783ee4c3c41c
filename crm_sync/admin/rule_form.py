"""The form in which a routing rule is edited, checked before it is saved."""

from typing import Any

from django import forms

from crm_sync.models import RoutingRule, RulePlace
from crm_sync.routing.territories import ModelFileError, territory_condition
from leadscoring.admin.unfold_types import Inline, InlineFormSet, ModelForm, TextArea

OWNERS = (RoutingRule.Kind.CONTACT_OWNER, RoutingRule.Kind.COMPANY_OWNER)
EXAMPLE = "profile: {country__in: [DE, AT, CH], employees__gte: 200}"


class RuleForm(ModelForm[RoutingRule]):
    class Meta:
        model = RoutingRule
        fields = ("kind", "name", "enabled", "condition")
        widgets = {
            "condition": TextArea(attrs={"rows": 4, "spellcheck": "false", "class": "ls-source"})
        }
        help_texts = {
            "condition": "For a territory: a condition on the profile, as in a scoring rule’s "
            f"“when”. Such as {EXAMPLE}; joined by all, any and not."
        }

    def clean(self) -> dict[str, Any] | None:
        """Require a valid condition of a territory; reject one on any other kind."""
        cleaned = super().clean() or {}
        kind = cleaned.get("kind") or self.instance.kind
        text = cleaned["condition"] = str(cleaned.get("condition", "")).strip()
        if kind == RoutingRule.Kind.TERRITORY:
            self.check_territory(text)
        elif text:
            self.add_error("condition", "Only a territory asks which leads it is for.")
        return cleaned

    def check_territory(self, text: str) -> None:
        try:
            territory_condition(text)
        except ModelFileError as error:
            told = f"Such as {EXAMPLE}" if not text else f"It cannot be read: {error}."
            self.add_error("condition", told)


class RotationFormSet(InlineFormSet[RulePlace, RoutingRule, Any]):
    def clean(self) -> None:
        super().clean()
        kept = [one for one in self.cleaned() if one.get("owner") and not one.get("DELETE")]
        if kept and self.instance.kind in OWNERS:
            raise forms.ValidationError("This rule gives leads to their owners: it names no reps.")

    def cleaned(self) -> list[dict[str, Any]]:
        return [form.cleaned_data for form in self.forms if hasattr(form, "cleaned_data")]

    def save_existing(self, form: Any, obj: RulePlace, commit: bool = True) -> RulePlace:
        """Save without the place's credit, which may move on while the page is open."""
        place: RulePlace = form.save(commit=False)
        if commit:
            place.save(update_fields=["owner", "weight"])
        return place


class RotationInline(Inline[RulePlace, RoutingRule]):
    model = RulePlace
    formset = RotationFormSet
    extra = 0
    fields = (("owner", "weight"),)
    verbose_name_plural = "Reps who take them in turn. Without any: everybody who takes leads"

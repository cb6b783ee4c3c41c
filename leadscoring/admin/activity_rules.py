"""A rule made of a type of activities, without the model's file being seen."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring import publishing
from leadscoring.admin.unfold_types import ModelAdmin
from leadscoring.common import format
from leadscoring.common.activity_type import spell_activity_type
from leadscoring.engine import ModelFileError, add_rule, make_activity_rule
from leadscoring.extensions import ActivityUse, activity_uses
from leadscoring.models import ActivityType, ModelVersion

MOST_USES = 20  # that are shown of a type


def uses_by_type(user: Any, at: datetime) -> dict[str, list[ActivityUse]]:
    """Return what waits for which types, as far as a user may see it. Rules come first."""
    found: dict[str, list[ActivityUse]] = {}
    added: Iterable[ActivityUse] = (
        use for uses in activity_uses.values() for use in uses(user, at)
    )
    for use in (*_rules(user, at), *added):
        found.setdefault(use.type, []).append(use)
    return found


def _rules(user: Any, at: datetime) -> Iterator[ActivityUse]:
    if not user.has_perm("leadscoring.view_modelversion"):
        return
    live = ModelVersion.objects.in_force(at)
    for rule in live.model.rules:
        for type_ in sorted(rule.activity_types or ()):
            yield ActivityUse(type_, f"Rule: {rule.label}", format.change_url(live))


def may_make_rules(user: Any) -> bool:
    return bool(user.has_perms(["leadscoring.add_modelversion", "leadscoring.change_modelversion"]))


def new_rule_url(type_: str) -> str:
    """Return the address of the page that makes a rule of a type."""
    return reverse("admin:leadscoring_modelversion_rule", query={"type": type_})


def uses_html(type_: str, uses: Collection[ActivityUse], may: bool) -> SafeString:
    """Return links to what waits for a type, and for who may make one, to a new rule."""
    links = [format.link_html(use.url, use.words) for use in [*uses][:MOST_USES]]
    if not links and may:
        links = [
            format_html(
                '<a class="ls-button ls-small" href="{}">Make a rule of it</a>', new_rule_url(type_)
            )
        ]
    return format_html('<span class="ls-wrap">{}</span>', format.join_html(links))


class ActivityRuleForm(forms.Form):
    type = forms.CharField(max_length=100, label="What people do")
    label = forms.CharField(max_length=100, label="How reps and marketers read it")
    points = forms.FloatField(min_value=-10_000, max_value=10_000, label="Points for each time")
    half_life_days = forms.FloatField(
        required=False, min_value=0.01, max_value=3_650, label="Counts half after so many days"
    )

    def clean_type(self) -> str:
        spelled = spell_activity_type(self.cleaned_data["type"])
        if not spelled:
            raise forms.ValidationError("A type has letters or digits.")
        return spelled

    def clean_label(self) -> str:
        label = " ".join(self.cleaned_data["label"].split())
        if not label.isprintable():
            raise forms.ValidationError("This has signs that cannot be read.")
        return label

    def clean_points(self) -> float:
        points = round(float(self.cleaned_data["points"]), 2)
        if not points:
            raise forms.ValidationError("A rule of 0 points does nothing.")
        return points

    def added_to(self, version: ModelVersion) -> str:
        """Return the file of a version with this rule. Raise ModelFileError."""
        keys = {rule.key for rule in version.model.rules}
        return add_rule(version.source, make_activity_rule(**self.cleaned_data, keys=keys))


def add_rule_page(page: ModelAdmin[ModelVersion], request: HttpRequest) -> HttpResponse:
    """Ask for the points of a type, and put the rule into the draft of the live model."""
    if not may_make_rules(request.user):
        raise PermissionDenied
    at = now()
    base = publishing.draft_or_live(at)
    form = ActivityRuleForm(request.POST or None, initial=_initial(request.GET.get("type", "")))
    if request.method == "POST" and form.is_valid():
        try:
            draft, _ = publishing.apply_draft(form.added_to(base))
        except ModelFileError as error:
            form.add_error(None, str(error))
        else:
            label = form.cleaned_data["label"]
            page.log_change(request, draft, f"Added the rule {label}.")
            added = f"“{label}” is in the draft {draft}. Nothing changes until it is published."
            page.message_user(request, added, messages.SUCCESS)
            return redirect(format.change_url(draft))
    context = {
        **page.admin_site.each_context(request),
        "title": "New rule",
        "opts": page.opts,
        "form": form,
        "base": base,
        "uses": uses_by_type(request.user, at).get(str(form["type"].value() or ""), []),
        "types": ActivityType.objects.order_by("name")[:500],
    }
    return TemplateResponse(request, "admin/leadscoring/modelversion/rule.html", context)


def _initial(asked: str) -> dict[str, object]:
    type_ = spell_activity_type(asked[:100])
    known = ActivityType.objects.filter(name=type_).first()
    return {"type": type_, "label": str(known) if known else type_, "half_life_days": 30}

"""Scoring models: what their rules say, drafts to write, and the page that publishes one."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring import publishing
from leadscoring.access_log import note_people
from leadscoring.admin.activity_rules import add_rule_page
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.admin.unfold_types import ModelForm, TextArea
from leadscoring.common import format
from leadscoring.engine import ModelFileError, ScoringModel, describe_rule, parse_model
from leadscoring.models import Contact, ModelVersion

PREVIEWED = 5_000
MOST_SOURCE = 100_000


class SourceForm(ModelForm[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields = ("source",)
        widgets = {"source": TextArea(attrs={"rows": 28, "spellcheck": "false"})}
        labels = {"source": "The model as YAML"}

    def clean_source(self) -> str:
        """Return a valid source. Browsers send lines that end in CR LF."""
        source = str(self.cleaned_data["source"]).replace("\r\n", "\n")
        if len(source) > MOST_SOURCE:
            raise forms.ValidationError(f"A model has at most {MOST_SOURCE:,} characters.")
        try:
            name = parse_model(source).name
        except ModelFileError as error:
            raise forms.ValidationError(str(error)) from None
        if self.instance.pk and name != self.instance.name:
            raise forms.ValidationError(
                f"name: must stay {self.instance.name}. For a model of another name add a new one."
            )
        return source


@admin.register(ModelVersion)
class ModelVersionAdmin(AppModelAdmin[ModelVersion]):
    form = SourceForm
    change_form_template = "admin/leadscoring/modelversion/change_form.html"
    list_display = ("model_name", "state", "published", "rules")
    ordering = ("name", "-version")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        self.in_force_pk = _in_force_ids()
        return super().get_queryset(request)

    @admin.display(description="Model", ordering="name")
    def model_name(self, version: ModelVersion) -> str:
        return str(version)

    @admin.display(description="State")
    def state(self, version: ModelVersion) -> SafeString:
        return _model_state(version, self.in_force_pk)

    @admin.display(description="Published", ordering="published_at")
    def published(self, version: ModelVersion) -> SafeString:
        return format.moment_html(version.published_at)

    @admin.display(description="Rules")
    def rules(self, version: ModelVersion) -> int:
        return len(version.model.rules)

    # --- who may what: a published model never changes

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.published_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(obj and not obj.published_at) and self.may(request, "change_modelversion")

    # --- page

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start a new draft from the version it was asked for, else from the one in force."""
        wanted = request.GET.get("of", "")
        chosen = int(wanted) if wanted.isdecimal() and len(wanted) < 10 else _in_force_ids()
        found = ModelVersion.objects.filter(pk=chosen).first() if chosen else None
        return {"source": found.source if found else ""}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        version = self.get_object(request, object_id) if object_id else None
        page = _describe_model(version) if version else {}
        return super().changeform_view(
            request, object_id, form_url, {**page, **(extra_context or {})}
        )

    def save_model(self, request: HttpRequest, obj: ModelVersion, form: Any, change: bool) -> None:
        """Make the file the draft of its name, as the command does."""
        draft, changed = publishing.apply_draft(form.cleaned_data["source"])
        obj.pk, obj.name, obj.version = draft.pk, draft.name, draft.version
        obj.published_at = draft.published_at
        if not changed:
            self.message_user(request, f"This is what {draft} says already.", messages.INFO)

    # --- publishing

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.publish_view)
        progress = self.admin_site.admin_view(self.progress_view)
        rule = self.admin_site.admin_view(partial(add_rule_page, self))
        return [
            path("rule/", rule, name="leadscoring_modelversion_rule"),
            path("<int:pk>/publish/", view, name="leadscoring_modelversion_publish"),
            path("progress/", progress, name="leadscoring_modelversion_progress"),
            *super().get_urls(),
        ]

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        """Show how many scores have followed the model in force; the pages ask it again and again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        shown = {"shows": {"progress": publishing.publish_progress(now())}, "refreshed": True}
        return TemplateResponse(request, "admin/leadscoring/modelversion/progress.html", shown)

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what publishing a draft would do; publish it on POST."""
        if not self.may(request, "change_modelversion"):
            raise PermissionDenied
        version = ModelVersion.objects.filter(pk=pk).first()
        if version is None:
            raise Http404
        if request.method == "POST":
            return self.publish(request, version)
        context = {
            **self.admin_site.each_context(request),
            **_preview_rows(version),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/leadscoring/modelversion/publish.html", context)

    def publish(self, request: HttpRequest, version: ModelVersion) -> HttpResponse:
        quiet = request.POST.get("crossings") != "tell"
        try:
            publishing.publish_version(version.name, version.version, now(), quiet=quiet)
        except publishing.PublishingError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.log_change(request, version, "Published.")
            done = f"{version} is live. All scores follow within some minutes."
            self.message_user(request, done, messages.SUCCESS)
        return redirect(format.change_url(version))


def _in_force_ids() -> int | None:
    try:
        return ModelVersion.objects.in_force(now()).pk
    except ModelVersion.DoesNotExist:
        return None


def _model_state(version: ModelVersion, in_force_pk: int | None) -> SafeString:
    if version.published_at is None:
        return format.badge_html("draft", "warm")
    return (
        format.badge_html("live", "good")
        if version.pk == in_force_pk
        else format.badge_html("earlier")
    )


def _describe_model(version: ModelVersion) -> dict[str, Any]:
    """Return a model in sentences, and while the scores still follow it, how many did."""
    model = version.model
    progress = publishing.publish_progress(now()) if version.pk == _in_force_ids() else None
    return {
        "following": {"progress": progress} if progress and not progress.is_done else None,
        "version": version,
        "state": _model_state(version, _in_force_ids()),
        "model": model,
        "rules": [(rule, describe_rule(rule)) for rule in model.rules],
        "limits": _describe_limits(model),
    }


def _describe_limits(model: ScoringModel) -> str:
    known = (
        ("fit", model.caps.fit),
        ("engagement", model.caps.engagement),
        ("all", model.caps.total),
    )
    said = [f"{name} at most {format.format_number(cap)}" for name, cap in known if cap is not None]
    return ", ".join(said) or "no limits"


def _preview_rows(version: ModelVersion) -> dict[str, Any]:
    """Return what publishing would do, counted over at most PREVIEWED contacts to keep the page fast."""
    *_, seen = publishing.preview_publish(version, now(), sample=PREVIEWED)
    people = Contact.objects.count() if seen.people >= PREVIEWED else seen.people
    note_people(seen.examples)
    grades = sorted({*seen.grades, *seen.grades_now})
    return {
        "title": f"Publish {version}",
        "version": version,
        "seen": seen,
        "people": people,
        "partly": people > seen.people,
        "about": round(seen.would_cross * people / (seen.people or 1)),
        "grades": [(one, seen.grades_now[one], seen.grades[one]) for one in grades],
        "examples": Contact.objects.filter(pk__in=seen.examples),
    }

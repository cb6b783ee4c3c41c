"""Files that marketers bring: upload, columns, check, import, undo."""

import re
from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring.access_log import note_people
from leadscoring.admin.import_steps import (
    UNDONE,
    WORDS,
    begin_with_guess,
    columns_step,
    figures,
    move_on,
    take_columns,
)
from leadscoring.admin.model_admin import ReadOnlyModelAdmin
from leadscoring.common import format
from leadscoring.common.format import change_url
from leadscoring.intake.csv_import.encoding import UnreadableFile
from leadscoring.intake.uploads import store
from leadscoring.intake.uploads.rejected import rejected_file
from leadscoring.intake.uploads.running import finish_import
from leadscoring.intake.uploads.undo import plan_undo
from leadscoring.intake.uploads.wording import page_sentence
from leadscoring.models import Import

State = Import.State
TONES = {State.DONE: "good", State.UNDONE: "plain", State.COLUMNS: "warm", State.CHECKED: "warm"}
SHOWN_REJECTED = 20
NAMED = re.compile(r"contact (\d{1,18}) \(")


class UploadForm(forms.Form):
    kind = forms.ChoiceField(choices=Import.Kind.choices, initial=Import.Kind.PEOPLE)
    file = forms.FileField(allow_empty_file=True)


@admin.register(Import)
class ImportAdmin(ReadOnlyModelAdmin[Import]):
    about = "People, activities and addresses not to mail, out of files. For 30 days an import can be undone."
    nothing = "No file was imported yet: add one."
    list_display = ("file", "state_", "result", "by", "made")
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Import]:
        """An import is its maker's: the file shows people. A superuser sees all."""
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(made_by=request.user.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "add_import")

    def get_urls(self) -> list[URLPattern]:
        live, rejected = map(self.admin_site.admin_view, (self.live_view, self.rejected_view))
        return [
            path("<int:pk>/live/", live, name="leadscoring_import_live"),
            path("<int:pk>/rejected.csv", rejected, name="leadscoring_import_rejected"),
            *super().get_urls(),
        ]

    @admin.display(description="File", ordering="name")
    def file(self, row: Import) -> SafeString:
        return format.two_lines_html(row.name, row.get_kind_display())

    @admin.display(description="State", ordering="state")
    def state_(self, row: Import) -> SafeString:
        return format.badge_html(row.get_state_display(), TONES.get(State(row.state), "info"))

    @admin.display(description="Result")
    def result(self, row: Import) -> SafeString:
        found = figures(row.counts, WORDS)[:3]
        return format.wrapped_html(", ".join(f"{one.number:,} {one.words}" for one in found))

    @admin.display(description="Uploaded", ordering="created_at")
    def made(self, row: Import) -> SafeString:
        return format.moment_html(row.created_at)

    # --- a new file
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                return redirect(change_url(self._keep(request, form)))
            except (store.RefusedUpload, UnreadableFile) as wrong:
                form.add_error("file", page_sentence(str(wrong)))
        shown = {"form": form, "title": "Import a file", "most": store.MOST_BYTES >> 20}
        return self._render(request, "admin/leadscoring/import/upload.html", shown)

    def _keep(self, request: HttpRequest, form: UploadForm) -> Import:
        """Keep a file that can be read; raise RefusedUpload or UnreadableFile for another."""
        file, user = form.cleaned_data["file"], cast(User, request.user)
        row = store.keep_upload(
            form.cleaned_data["kind"], file.name, file.size, file.chunks(), user, now()
        )
        try:
            begin_with_guess(row)
        except UnreadableFile:
            row.delete()
            raise
        return row

    # --- its page
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self._row(request, object_id)
        if request.method == "POST":
            if not self.has_add_permission(request):
                raise PermissionDenied
            self._take_step(request, row, request.POST.get("step", ""))
            return redirect(change_url(row))
        shown = {**self._shown(row), "undoing": "undo" in request.GET and _can_undo(row)}
        if row.state == State.COLUMNS and not row.pruned_at:
            try:
                shown |= columns_step(row)
            except UnreadableFile as wrong:
                shown["unreadable"] = page_sentence(str(wrong))
        _note_named(
            [
                *(one.reason for one in shown["rejected"]),
                *(one["reason"] for one in row.forecast.get("rejections", [])),
            ]
        )
        if shown["undoing"]:
            shown["plan"] = plan_undo(row)
        return self._render(request, "admin/leadscoring/import/page.html", shown)

    def _row(self, request: HttpRequest, pk: Any) -> Import:
        row = self.get_object(request, str(pk)) if self.has_view_permission(request) else None
        if row is None:
            raise Http404
        return row

    def _render(self, request: HttpRequest, template: str, shown: dict[str, Any]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **shown}
        return TemplateResponse(request, template, context)

    def _shown(self, row: Import) -> dict[str, Any]:
        return {
            "title": str(row),
            "original": row,
            "row": row,
            "forecast": figures(row.forecast.get("counts", {}), WORDS),
            "counts": figures(row.counts, WORDS),
            "undone": figures(row.undone, UNDONE),
            "rejected": row.rejected_rows.order_by("pk")[:SHOWN_REJECTED],
            "kept": not row.pruned_at,
            "can_undo": _can_undo(row),
        }

    def _take_step(self, request: HttpRequest, row: Import, step: str) -> None:
        """Do what a button asks for; one that is out of date does nothing."""
        if step == "check" and row.state == State.COLUMNS and not row.pruned_at:
            self._check(request, row)
        elif step == "columns":
            move_on(row, (State.CHECKED,), State.COLUMNS)
        elif step == "import" and not row.pruned_at:
            if move_on(row, (State.CHECKED,), State.RUNNING):
                self.log_change(request, row, "Imported.")
        elif step == "stop":
            finish_import(row, now(), problem="Stopped by hand.")
        elif step == "undo" and _can_undo(row) and move_on(row, (State.DONE,), State.UNDOING):
            self.log_change(request, row, "Undone.")

    def _check(self, request: HttpRequest, row: Import) -> None:
        try:
            problem = take_columns(row, request.POST)
        except UnreadableFile as wrong:
            problem = page_sentence(str(wrong))
        if problem:
            messages.warning(request, problem)
        else:
            move_on(row, (State.COLUMNS,), State.CHECKING)

    # --- parts of it
    def live_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show how far an import is; the page asks again and again, and is loaded anew at the end."""
        row = self._row(request, pk)
        template = "admin/leadscoring/import/live.html"
        response = TemplateResponse(request, template, {**self._shown(row), "refreshed": True})
        if not row.is_under_way:
            response.headers["HX-Refresh"] = "true"
        return response

    def rejected_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self._row(request, pk)
        if row.pruned_at or not row.rejected_rows.exists():
            raise Http404
        _note_named(row.rejected_rows.values_list("reason", flat=True))
        response = HttpResponse(rejected_file(row), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="rejected-{row.pk}.csv"'
        return response


def _can_undo(row: Import) -> bool:
    return row.state == State.DONE and not row.pruned_at and row.done > 0


def _note_named(reasons: Iterable[str]) -> None:
    """Let the access log know of whom refusals speak, as where they are refused."""
    note_people(int(pk) for reason in reasons for pk in NAMED.findall(reason))

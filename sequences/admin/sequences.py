"""A sequence: its mails as people get them, and how many wait before and went past each."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import now

from leadscoring.admin import confirmation
from leadscoring.admin.json_field import StorableJsonField
from leadscoring.admin.model_admin import (
    LISTED,
    AppModelAdmin,
    FilterQuestion,
    QuestionFilter,
)
from leadscoring.admin.unfold_types import Inline, ModelForm, TextArea, TextInput
from leadscoring.common import format
from leadscoring.common.spans import format_span
from leadscoring.models import Company, Contact, Score
from sequences import early_fits, enrolling
from sequences.apply_file import SHORTENED
from sequences.archiving import archive_sequences, bring_back_sequences
from sequences.conditions import KNOWN
from sequences.merge_fields import MergeError, fill_template
from sequences.models import Delivery, Enrollment, EnrollmentQuerySet, Sequence, Step
from sequences.sending.compose import merge_values, render_html
from sequences.sequence_file import LONGEST_WAIT, UNITS, format_wait

# The recipients of the previews.
SAMPLE = Contact(
    first_name="Ada", last_name="Lovelace", email="ada@example.com", job_title="Head of Engines",
    country="United Kingdom", company=Company(name="Analytical Engines"),
)  # fmt: skip
SAMPLE.score = Score(contact=SAMPLE, total=72.5, grade="A1")
LONGEST_BODY = 50_000


class WaitField(forms.CharField):
    """A wait as people write it: 3 days, 4 hours, 30 minutes."""

    said = re.compile(rf"([0-9]{{1,6}})\s*({'|'.join(UNITS)})s?")

    def prepare_value(self, value: Any) -> Any:
        return format_wait(value) if isinstance(value, timedelta) else value

    def clean(self, value: Any) -> Any:
        found = self.said.fullmatch(super().clean(value).lower())
        if not found:
            raise forms.ValidationError(
                "Write a number and a unit, such as 3 days, 4 hours or 30 minutes."
            )
        seconds = int(found[1]) * UNITS[found[2]]
        if seconds > LONGEST_WAIT.total_seconds():
            raise forms.ValidationError("A wait is at most 10 years.")
        return timedelta(seconds=seconds)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class StepForm(ModelForm[Step]):
    position = forms.IntegerField(min_value=1, max_value=1_000, widget=TextInput)
    wait = WaitField(
        widget=TextInput,
        help_text="After the mail before; of the first, after entering. Such as 3 days.",
    )

    class Meta:
        model = Step
        fields = ("position", "wait", "subject", "body")
        widgets = {"body": TextArea(attrs={"rows": 8})}

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"])
        if len(body) > LONGEST_BODY:
            raise forms.ValidationError(f"A mail has at most {LONGEST_BODY:,} characters.")
        return body


class SequenceForm(ModelForm[Sequence]):
    class Meta:
        model = Sequence
        fields = ("name", "enter_when", "pause_when_with_sales", "tracks")
        field_classes = {"enter_when": StorableJsonField}
        widgets = {"enter_when": TextArea(attrs={"rows": 3, "spellcheck": "false"})}
        help_texts = {
            "enter_when": 'Such as {"score__gte": 20} or {"activity": "webinar_attended"}; {} lets nobody '
            f"in but by hand. Known: {', '.join(KNOWN)}."
        }


class StepInline(Inline[Step, Sequence]):
    model = Step
    form = StepForm
    extra = 0
    fields = ("position", "wait", "subject", "body")
    verbose_name = "mail"
    verbose_name_plural = "Edit the mails"


class ArchivedFilter(QuestionFilter):
    """Those in use, unless the archived ones are asked for."""

    questions = {"archived": FilterQuestion("Archived", lambda rows, at: rows.archived())}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows: Any = super().queryset(request, queryset)
        # A row's own buttons come through the list, whichever kind the row is of.
        every = self.value() or "from_page" in request.POST
        shown: QuerySet[Any] = rows if every else rows.current()
        return shown


class SwitchOnForm(forms.Form):
    """Who else enters, besides those who begin to fit the rule later."""

    WAYS = {
        "later": "From now on: only people who begin to fit later",
        "all": "All who fit now, at once",
        "daily": "So many of them each day, the highest score first:",
    }
    way = forms.ChoiceField(choices=list(WAYS.items()), initial="later")
    a_day = forms.IntegerField(
        required=False, min_value=1, max_value=1_000_000, label="People a day", initial=20
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("way") == "daily" and not given.get("a_day") and "a_day" not in self.errors:
            self.add_error("a_day", "Say how many a day.")
        return given

    def chosen(self) -> int | None:
        """Return the choice as `early_fits.switch_on` takes it."""
        ways = {"later": early_fits.FROM_NOW_ON, "all": early_fits.ALL}
        way = self.cleaned_data["way"]
        return ways[way] if way in ways else self.cleaned_data["a_day"]


@admin.register(Sequence)
class SequenceAdmin(AppModelAdmin[Sequence]):
    change_form_template = "admin/sequences/sequence/change_form.html"
    form = SequenceForm
    inlines = (StepInline,)
    nothing = "No sequence yet."
    list_display = ("name", "state", "steps", "under_way", "paused", "held", "finished", "stopped")
    list_filter = (ArchivedFilter,)
    ordering = ("name",)
    actions = ("switch_on", "let_more_in", "switch_off", "archive", "bring_back")
    fields = ("name", "enter_when", "pause_when_with_sales", "tracks")
    search_fields = ("name__icontains",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sequence]:
        return super().get_queryset(request).prefetch_related("steps")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read the counts of all sequences in one query, for the list."""
        self.counts = counts_by_sequence(Enrollment.objects.all())
        return super().get_changelist_instance(request)

    # --- who may what: what was used is archived, as its history would go with it

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.archived_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        used = obj is not None and Enrollment.objects.filter(sequence=obj).exists()
        return super().has_delete_permission(request, obj) and not used

    def has_archive_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "change_sequence")

    def get_action_choices(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Offer above each list what its rows allow."""
        choices = super().get_action_choices(request, *args, **kwargs)
        if "from_page" in request.POST:
            return choices
        not_here = "archive" if request.GET.get("ask") == "archived" else "bring_back"
        return [choice for choice in choices if choice[0] != not_here]

    @admin.action(description="Archive…", permissions=["archive"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        chosen = Sequence.objects.filter(pk__in=queryset.values("pk")).current()
        if not confirmation.is_confirmed(request):
            people = Enrollment.objects.open().filter(sequence__in=chosen).count()
            leave = "1 person leaves" if people == 1 else f"{people:,} people leave"
            return confirmation.render_confirmation(
                self, request, chosen, action="archive", title="Archive sequences",
                what_happens=f"{leave} these sequences for good and get no further mail of them; "
                "nobody enters any more. What was sent stays on record, and a sequence can be brought back.",
                button="Archive",
            )  # fmt: skip
        for sequence in chosen:
            self.log_change(request, sequence, "Archived.")
        done, stopped = archive_sequences(chosen, now(), request.user.get_username())
        self.message_user(
            request,
            f"{done} archived; {stopped:,} people left.",
            messages.SUCCESS if done else messages.WARNING,
        )
        return None

    @admin.action(description="Bring back", permissions=["archive"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        chosen = Sequence.objects.filter(pk__in=queryset.values("pk")).archived()
        for sequence in chosen:
            self.log_change(request, sequence, "Brought back.")
        done = bring_back_sequences(chosen, now())
        self.message_user(
            request,
            f"{done} brought back, switched off. Whoever left does not go on by themselves.",
            messages.SUCCESS if done else messages.WARNING,
        )

    # --- list

    @admin.display(description="State", ordering="active")
    def state(self, sequence: Sequence) -> SafeString:
        if sequence.archived_at:
            return format.badge_html("archived")
        return format.badge_html("on", "good") if sequence.active else format.badge_html("off")

    @admin.display(description="Mails")
    def steps(self, sequence: Sequence) -> int:
        return len(sequence.steps.all())

    def count(self, sequence: Sequence, what: str) -> object:
        number = self.counts.get(sequence.pk, {}).get(what, 0)
        url = format.list_url(Enrollment, sequence__id__exact=sequence.pk, ask=what)
        return format.link_html(url, number) if number else format.NOTHING

    @admin.display(description="Under way")
    def under_way(self, sequence: Sequence) -> object:
        return self.count(sequence, "active")

    @admin.display(description="Paused")
    def paused(self, sequence: Sequence) -> object:
        return self.count(sequence, "paused")

    @admin.display(description="Held")
    def held(self, sequence: Sequence) -> object:
        return self.count(sequence, "held")

    @admin.display(description="Finished")
    def finished(self, sequence: Sequence) -> object:
        return self.count(sequence, "finished")

    @admin.display(description="Stopped")
    def stopped(self, sequence: Sequence) -> object:
        return self.count(sequence, "stopped")

    # --- on and off

    def has_switch_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "change_sequence")

    def verbs(self, request: HttpRequest, obj: Sequence) -> list[str]:
        if obj.archived_at:
            return ["bring_back"]
        if not obj.active:
            return ["switch_on", "archive"]
        waiting = obj.early_fits.waiting().exists()
        return [*(["let_more_in"] if waiting else []), "switch_off", "archive"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.switch_on_view)
        ours = path("<int:pk>/switch-on/", view, name="sequences_sequence_switch_on")
        return [ours, *super().get_urls()]

    @admin.action(description="Switch on…", permissions=["switch"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Sequence]) -> HttpResponse | None:
        sequence = queryset.first()
        if sequence and queryset.count() == 1:
            return redirect(_switch_on_url(sequence))
        self.message_user(request, "Switch one on at a time.", messages.WARNING)
        return None

    @admin.action(description="Let in who fitted before…", permissions=["switch"])
    def let_more_in(
        self, request: HttpRequest, queryset: QuerySet[Sequence]
    ) -> HttpResponse | None:
        return self.switch_on(request, queryset)

    @admin.action(description="Switch off", permissions=["switch"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Sequence]) -> None:
        off = early_fits.switch_off(Sequence.objects.filter(pk__in=queryset.values("pk")))
        said = f"{off} switched off. Nobody enters, nothing is sent, and people keep their place."
        self.message_user(request, said, messages.SUCCESS if off else messages.WARNING)

    def switch_on_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say how many people fit the rule now, ask what is to become of them, and switch on."""
        sequence = get_object_or_404(Sequence, pk=pk)
        if not self.has_switch_permission(request) or sequence.archived_at:
            raise PermissionDenied
        if not sequence.steps.exists():
            self.message_user(
                request, "Write its first mail before you switch it on.", messages.WARNING
            )
            return redirect(format.change_url(sequence))
        form = SwitchOnForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            early_fits.switch_on(sequence, form.chosen(), now())
            self.log_change(request, sequence, f"Switched on: {form.cleaned_data['way']}")
            self.message_user(request, f"{sequence} is on.", messages.SUCCESS)
            return redirect(format.change_url(sequence))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Who enters {sequence}" if sequence.active else f"Switch on {sequence}",
            "opts": self.opts,
            "sequence": sequence,
            "form": form,
            "fitting": early_fits.people_who_fit(sequence).order_by()[: LISTED + 1].count(),
            "most": LISTED,
            "waits_for_activity": "activity" in sequence.enter_when,
        }
        return TemplateResponse(request, "admin/sequences/sequence/switch_on.html", context)

    # --- written

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"pause_when_with_sales": True, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Sequence, form: Any, change: bool) -> None:
        """Leave a new sequence switched off. A new rule or switch counts at once."""
        obj.active = obj.active if change else False
        super().save_model(request, obj, form, change)
        if change and "pause_when_with_sales" in form.changed_data:
            enrolling.apply_sales_switch(obj, now())
        if change and obj.active and obj.enter_when != form.initial["enter_when"]:
            early_fits.follow_new_rule(obj)
            obj.rule_edited = True  # type: ignore[attr-defined]  # for the answer alone

    def response_post_save_add(self, request: HttpRequest, obj: Sequence) -> HttpResponseRedirect:
        self.message_user(request, "It is switched off. Look at its mails, then switch it on.")
        return HttpResponseRedirect(format.change_url(obj))

    def response_post_save_change(
        self, request: HttpRequest, obj: Sequence
    ) -> HttpResponseRedirect:
        """Ask about those who fit a rule that was just edited, as when it is switched on."""
        if obj.enter_when and getattr(obj, "rule_edited", False):
            return HttpResponseRedirect(_switch_on_url(obj))
        return super().response_post_save_change(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        done = _finish_past_end(form.instance, now(), request.user.get_username())
        if done:
            self.message_user(
                request, f"{done} people had come further than the last mail and have finished."
            )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        sequence = self.get_object(request, object_id) if object_id else None
        page = (
            {
                "mails": _step_previews(sequence),
                "early": early_fits.count_early_fits(sequence) if sequence.active else None,
            }
            if sequence
            else {}
        )
        return super().changeform_view(
            request, object_id, form_url, {**page, **(extra_context or {})}
        )


def _switch_on_url(sequence: Sequence) -> str:
    return reverse("admin:sequences_sequence_switch_on", args=[sequence.pk])


def _finish_past_end(sequence: Sequence, at: datetime, by: str) -> int:
    """Finish enrollments that wait for a removed step; return how many."""
    last = sequence.steps.aggregate(last=Max("position"))["last"] or 0
    return enrolling.finish_enrollments(
        Enrollment.objects.filter(sequence=sequence).behind(last), at, SHORTENED, by
    )


def counts_by_sequence(rows: EnrollmentQuerySet) -> dict[int, dict[str, int]]:
    """Return how many are in which state, by sequence; `held` are active ones that may not go on."""
    held = Count("pk", filter=Q(state=Enrollment.State.ACTIVE) & ~Q(hold_reason=""))
    states = {state.value: Count("pk", filter=Q(state=state)) for state in Enrollment.State}
    counted: Any = rows.order_by().values("sequence").annotate(held=held, **states)
    return {one["sequence"]: one for one in counted}


def _step_previews(sequence: Sequence) -> list[dict[str, Any]]:
    """Return each mail with its figures and as the sample contact would get it. Four queries."""
    waiting = dict(
        Enrollment.objects.open()
        .filter(sequence=sequence)
        .order_by()
        .values_list("next_position")
        .annotate(Count("pk"))
    )
    found = Delivery.objects.filter(enrollment__sequence=sequence).order_by()
    became = {
        (position, state): number
        for position, state, number in found.values_list("position", "state").annotate(Count("pk"))
    }
    counted: Any = found.values("position").annotate(
        opened=Count("opened_at"), clicked=Count("clicked_at")
    )
    reactions = {each["position"]: each for each in counted}
    return [
        {
            "step": step,
            "wait": format_span(step.wait) if step.wait else "at once",
            "waiting": waiting.get(step.position, 0),
            "sent": became.get((step.position, Delivery.State.SENT), 0),
            "failed": became.get((step.position, Delivery.State.FAILED), 0),
            "unclear": became.get((step.position, Delivery.State.UNCLEAR), 0),
            "opened": reactions.get(step.position, {}).get("opened", 0),
            "clicked": reactions.get(step.position, {}).get("clicked", 0),
            **_preview_step(step),
        }
        for step in sequence.steps.all()
    ]


def _preview_step(step: Step) -> dict[str, object]:
    """Return a mail as the sample contact gets it; the error when it cannot be composed."""
    values = merge_values(SAMPLE)
    try:
        subject, html = fill_template(step.subject, values, str), render_html(step.body, values)
        return {"subject": subject, "html": mark_safe(html)}  # noqa: S308 -- cleaned by nh3
    except MergeError as error:
        return {
            "subject": step.subject,
            "html": format_html("<p>{}</p>", f"It cannot be made: {error}"),
        }

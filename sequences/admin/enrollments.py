"""Enrollments: what happens next, and the actions on them."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now

from leadscoring.admin import confirmation
from leadscoring.admin.model_admin import FilterQuestion, QuestionFilter, ReadOnlyModelAdmin
from leadscoring.admin.search import PeopleSearch
from leadscoring.admin.unfold_types import RelatedFilter
from leadscoring.common import format
from sequences import enrolling
from sequences.models import Enrollment, EnrollmentQuerySet

TONES = {
    Enrollment.State.ACTIVE: "good",
    Enrollment.State.PAUSED: "warm",
    Enrollment.State.STOPPED: "bad",
    Enrollment.State.FINISHED: "plain",
}


class EnrollmentQuestions(QuestionFilter):
    questions = {
        "active": FilterQuestion(
            "Under way", lambda rows, at: rows.filter(state=Enrollment.State.ACTIVE)
        ),
        "held": FilterQuestion("Held back", lambda rows, at: rows.held()),
        "paused": FilterQuestion("Paused", lambda rows, at: rows.paused()),
        "stopped": FilterQuestion(
            "Stopped", lambda rows, at: rows.filter(state=Enrollment.State.STOPPED)
        ),
        "finished": FilterQuestion(
            "Finished", lambda rows, at: rows.filter(state=Enrollment.State.FINISHED)
        ),
    }


@admin.register(Enrollment)
class EnrollmentAdmin(PeopleSearch[Enrollment], ReadOnlyModelAdmin[Enrollment]):
    contact_path = "contact_id"
    nothing = "Nobody is in a sequence yet."
    list_display = ("who", "sequence", "state_", "why", "next_", "cause", "changed")
    list_select_related = ("contact", "sequence")
    list_filter = (EnrollmentQuestions, ("sequence", RelatedFilter))
    ordering = ("-pk",)
    actions = ("pause", "resume", "stop")
    fields = (
        "person",
        "sequence",
        "state_",
        "why",
        "cause",
        "next_",
        "entered",
        "changes",
        "mails",
    )

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "change_enrollment")

    @admin.display(description="Contact")
    def who(self, row: Enrollment) -> SafeString:
        return format.two_lines_html(
            row.contact, (row.contact.email or "") if row.contact.name else ""
        )

    @admin.display(description="Contact")
    def person(self, row: Enrollment) -> SafeString:
        return format.link_html(format.change_url(row.contact), row.contact)

    @admin.display(description="State", ordering="state")
    def state_(self, row: Enrollment) -> SafeString:
        return enrollment_state(row)

    @admin.display(description="Why")
    def why(self, row: Enrollment) -> SafeString:
        said = row.hold_reason or row.reason
        return format_html('<span class="ls-wrap">{}</span>', said) if said else format.NOTHING

    @admin.display(description="Caused by")
    def cause(self, row: Enrollment) -> str:
        return row.by

    @admin.display(description="Next mail")
    def next_(self, row: Enrollment) -> SafeString:
        if row.next_at is None:
            return format.NOTHING
        words = '<span class="ls-when">Mail {}, {}</span>'
        return format_html(words, row.next_position, format.moment_html(row.next_at))

    @admin.display(description="Entered")
    def entered(self, row: Enrollment) -> SafeString:
        return format.moment_html(row.entered_at)

    @admin.display(description="Changed", ordering="changed_at")
    def changed(self, row: Enrollment) -> SafeString:
        return format.moment_html(row.changed_at)

    @admin.display(description="What happened")
    def changes(self, row: Enrollment) -> SafeString:
        lines = (
            (
                format.moment_html(one.at),
                one.get_state_display(),
                f": {one.reason}" if one.reason else "",
                one.by,
            )
            for one in row.changes.all()[:100]
        )
        return format_html_join("", "<div>{} <b>{}</b>{} ({})</div>", lines) or format.NOTHING

    @admin.display(description="Mails")
    def mails(self, row: Enrollment) -> SafeString:
        lines = (
            (format.change_url(one), one.position, one.subject, one.get_state_display())
            for one in row.deliveries.order_by("position")[:100]
        )
        html = '<div><a class="ls-link" href="{}">Mail {}: {}</a>, {}</div>'
        return format_html_join("", html, lines) or format.NOTHING

    # --- verbs

    def verbs(self, request: HttpRequest, obj: Enrollment) -> list[str]:
        offered = {
            Enrollment.State.ACTIVE: ["pause", "stop"],
            Enrollment.State.PAUSED: ["resume", "stop"],
        }
        return offered.get(Enrollment.State(obj.state), [])

    @admin.action(description="Pause…", permissions=["steer"])
    def pause(self, request: HttpRequest, queryset: EnrollmentQuerySet) -> HttpResponse | None:
        return self.steer(
            request, queryset, "pause", "Nothing is sent to them until somebody resumes it."
        )

    @admin.action(description="Stop for good…", permissions=["steer"])
    def stop(self, request: HttpRequest, queryset: EnrollmentQuerySet) -> HttpResponse | None:
        return self.steer(
            request,
            queryset,
            "stop",
            "They leave the sequence for good and get no further mail of it.",
        )

    @admin.action(description="Resume", permissions=["steer"])
    def resume(self, request: HttpRequest, queryset: EnrollmentQuerySet) -> None:
        active = enrolling.resume_enrollments(
            _plain_queryset(queryset), now(), request.user.get_username()
        )
        left = queryset.count() - active
        said = f"{active} under way again"
        also = (
            f"; {left} not: a deal or sales still pauses them, or they are not paused"
            if left
            else ""
        )
        self.message_user(
            request, f"{said}{also}.", messages.SUCCESS if active else messages.WARNING
        )

    def steer(
        self, request: HttpRequest, rows: EnrollmentQuerySet, verb: str, what_happens: str
    ) -> HttpResponse | None:
        """Ask for the reason, then pause or stop, and say how many it was."""
        reason = confirmation.typed_reason(request)
        if not (confirmation.is_confirmed(request) and reason):
            return confirmation.render_confirmation(
                self, request, rows.select_related("contact", "sequence"), action=verb,
                title=verb.capitalize(), what_happens=what_happens,
                button=verb.capitalize(), wants_reason=True,
                named=lambda row: f"{row.contact} in {row.sequence} ({row.get_state_display().lower()})",
            )  # fmt: skip
        change = enrolling.pause_enrollments if verb == "pause" else enrolling.stop_enrollments
        number, done = rows.count(), {"pause": "paused", "stop": "stopped"}[verb]
        changed = change(_plain_queryset(rows), now(), reason, request.user.get_username())
        also = f"; {number - changed} were not under way" if number > changed else ""
        self.message_user(
            request, f"{changed} {done}{also}.", messages.SUCCESS if changed else messages.WARNING
        )
        return None


def _plain_queryset(rows: EnrollmentQuerySet) -> EnrollmentQuerySet:
    """Return the same rows without the list's order and joins, so that they can be locked."""
    return Enrollment.objects.filter(pk__in=rows.order_by().values("pk"))


def enrollment_state(row: Enrollment) -> SafeString:
    state = Enrollment.State(row.state)
    if row.hold_reason:
        return format.badge_html("held back", "warm")
    return format.badge_html(state.label, TONES[state])

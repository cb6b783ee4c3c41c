"""The ledger as a page: state, cause, age, and the two verbs a person has."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from crm_sync.admin.figures import figures, long
from crm_sync.models import Handoff, Owner
from crm_sync.models.ledger import HandoffQuerySet
from crm_sync.receivers import ring
from leadscoring import shown
from leadscoring.admin import asking
from leadscoring.admin.pages import Asked, Question, Records

LATE = timedelta(minutes=15)
TONES = {
    Handoff.Status.WAITING: "info",
    Handoff.Status.DELIVERED: "good",
    Handoff.Status.NEEDS_ATTENTION: "bad",
    Handoff.Status.WITHDRAWN: "plain",
}


TASK_TONES = {
    Handoff.TaskState.OPEN: "warm",
    Handoff.TaskState.STARTED: "info",
    Handoff.TaskState.DONE: "good",
    Handoff.TaskState.DELETED: "plain",
    Handoff.TaskState.CLOSED: "plain",
}


class HandoffQuestions(Asked):
    questions = {
        "attention": Question("Needs attention", lambda rows, at: rows.needing_attention()),
        "late": Question("Waiting over 15 minutes", lambda rows, at: rows.waiting_since(at - LATE)),
        "overdue": Question("Task overdue", lambda rows, at: rows.overdue(at)),
        "no-owner": Question("No owner", lambda rows, at: rows.without_owner()),
        "waiting": Question("Waiting", lambda rows, at: rows.waiting()),
        "delivered": Question("Delivered", lambda rows, at: rows.delivered()),
        "withdrawn": Question("Withdrawn", lambda rows, at: rows.withdrawn()),
    }


def attention_badge(request: HttpRequest) -> str:
    """How many handoffs need a person, beside the link in the sidebar."""
    if not request.user.has_perm("crm_sync.view_handoff"):
        return ""
    number = Handoff.objects.needing_attention()[:100].count()
    return "99+" if number > 99 else str(number or "")


def told_of(row: Handoff) -> str:
    company = f", {row.contact.company}" if row.contact.company else ""
    return f"{row.contact}{company} ({row.reference}, {row.get_status_display().lower()})"


@admin.register(Handoff)
class HandoffAdmin(Records[Handoff]):
    change_form_template = "admin/crm_sync/handoff/change_form.html"
    list_before_template = "admin/crm_sync/handoff/above.html"
    nothing = "Nobody has crossed the threshold yet."
    list_display = ("who", "score", "state", "cause", "crossed", "rep")
    list_select_related = ("contact__company",)
    list_filter = (HandoffQuestions,)
    search_fields = ("reference",)
    search_help_text = "Reference (LS-…) or whole e-mail address"
    ordering = ("-pk",)
    actions = ("resend", "withdraw")
    fields = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Handoff]:
        names = Owner.objects.filter(owner_id=OuterRef("owner_id")).values("name")[:1]
        return super().get_queryset(request).annotate(owner_name=Subquery(names))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Handoff], search_term: str
    ) -> tuple[QuerySet[Handoff], bool]:
        term = search_term.strip()
        if "@" in term:
            return queryset.filter(contact__email=term.lower()), False
        return (queryset.filter(reference__startswith=term.upper()) if term else queryset), False

    def has_resend_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "change_handoff")

    # --- list

    @admin.display(description="Contact", ordering="contact__last_name")
    def who(self, handoff: Handoff) -> SafeString:
        company = handoff.contact.company
        return shown.two_lines(handoff.contact, company.name if company else handoff.reference)

    @admin.display(description="Score", ordering="total")
    def score(self, handoff: Handoff) -> SafeString:
        return format_html(
            '<b class="ls-total">{} {}</b>', shown.figure(handoff.total), handoff.grade
        )

    @admin.display(description="State", ordering="status")
    def state(self, handoff: Handoff) -> SafeString:
        return format_html(
            '<span class="ls-badges">{}{}</span>', state_of(handoff), task_of(handoff)
        )

    @admin.display(description="Why")
    def cause(self, handoff: Handoff) -> SafeString:
        if not handoff.because:
            return shown.NOTHING
        return format_html('<span class="ls-wrap ls-cause">{}</span>', handoff.because)

    @admin.display(description="Crossed", ordering="crossed_at")
    def crossed(self, handoff: Handoff) -> SafeString:
        return shown.when(handoff.crossed_at)

    @admin.display(description="Rep")
    def rep(self, handoff: Any) -> object:
        return shown.unbroken(handoff.owner_name or handoff.owner_id)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        told = {} if request.method == "POST" else {"figures": figures(now())}
        return super().changelist_view(request, told | (extra_context or {}))

    # --- verbs

    @admin.action(description="Resend now", permissions=["resend"])
    def resend(self, request: HttpRequest, queryset: HandoffQuerySet) -> HttpResponse | None:
        """Undelivered ones go on their way at once; those a worker holds or that are done stay."""
        chosen = queryset.count()
        with transaction.atomic():
            resent = Handoff.objects.filter(pk__in=queryset.values("pk")).resend(now())
            transaction.on_commit(ring)
        said = f"{resent} on their way again"
        left = (
            f"; {chosen - resent} already delivered or in a worker's hands"
            if chosen > resent
            else ""
        )
        self.message_user(
            request, f"{said}{left}.", messages.SUCCESS if resent else messages.WARNING
        )
        return None

    @admin.action(description="Withdraw…", permissions=["resend"])
    def withdraw(self, request: HttpRequest, queryset: HandoffQuerySet) -> HttpResponse | None:
        """Taken back with a reason, before anything was made of them in the CRM."""
        reason = asking.reason(request)
        if not (asking.confirmed(request) and reason):
            return asking.ask(
                self,
                request,
                queryset.select_related("contact__company"),
                action="withdraw",
                named=told_of,
                title="Withdraw handoffs",
                what_happens="Sales is not told of these people. A handoff that was delivered, whose "
                "task may exist, or that a worker holds at this moment, stays as it is.",
                button="Withdraw",
                wants_reason=True,
            )
        chosen = queryset.count()
        because = f"Withdrawn by {request.user}: {reason}"
        gone = Handoff.objects.filter(pk__in=queryset.values("pk")).withdraw(because, now())
        left = f"; {chosen - gone} could not be taken back any more" if chosen > gone else ""
        self.message_user(
            request, f"{gone} withdrawn{left}.", messages.SUCCESS if gone else messages.WARNING
        )
        return None

    # --- page

    def verbs(self, request: HttpRequest, obj: Handoff) -> list[str]:
        if obj.status == Handoff.Status.DELIVERED:
            return []
        return ["resend"] if obj.status == Handoff.Status.WITHDRAWN else ["resend", "withdraw"]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        handoff = self.get_object(request, object_id or "")
        page = handoff_page(handoff, now()) if handoff else {}
        return super().changeform_view(request, object_id, form_url, page | (extra_context or {}))


def state_of(handoff: Handoff) -> SafeString:
    status = Handoff.Status(handoff.status)
    return shown.badge(status.label, TONES[status])


def task_of(handoff: Handoff) -> SafeString:
    """What became of the task, as far as we have seen; empty where none was made."""
    if not handoff.task_state:
        return SafeString()
    state = Handoff.TaskState(handoff.task_state)
    return shown.badge(state.label, TASK_TONES[state])


def handoff_page(handoff: Any, at: datetime) -> dict[str, Any]:
    """How far a handoff has come, step by step."""
    state = getattr(handoff.contact, "crm_state", None)
    return {
        "handoff": handoff,
        "state": state_of(handoff),
        "steps": steps(handoff),
        "task": task_of(handoff),
        "first_touch": long(handoff.touched_at - handoff.delivered_at)
        if handoff.touched_at and handoff.delivered_at
        else "",
        "overdue": bool(
            handoff.task_state == Handoff.TaskState.OPEN
            and handoff.touched_at is None
            and handoff.task_due_at
            and handoff.task_due_at < at
        ),
        "record_url": state.record_url if state and state.record_url.startswith("http") else "",
        "next_try": handoff.due_at if handoff.status == Handoff.Status.WAITING else None,
        "in_hand": handoff.claim is not None and handoff.due_at > at,
        "points": [
            {**reason, "points": shown.figure(reason["points"])} for reason in handoff.reasons
        ],
    }


def steps(handoff: Any) -> list[dict[str, Any]]:
    """The steps in their order: done or not, what came of it, and when where that is known."""
    rep = handoff.owner_name or handoff.owner_id
    chosen = f"{rep}: {handoff.owner_because}" if handoff.owner_because else rep
    crossed = f"Score {shown.figure(handoff.total)}, {handoff.grade}"
    return [
        {"name": "Crossed the threshold", "done": True, "what": crossed, "at": handoff.crossed_at},
        {
            "name": "Contact is in the CRM",
            "done": bool(handoff.record_id),
            "what": handoff.record_id,
        },
        {"name": "Rep chosen", "done": bool(handoff.owner_id), "what": chosen},
        {
            "name": "Task announced",
            "done": bool(handoff.task_tried_at),
            "at": handoff.task_tried_at,
        },
        {
            "name": "Task made",
            "done": bool(handoff.task_id),
            "what": handoff.task_id,
            "at": handoff.delivered_at,
        },
    ]

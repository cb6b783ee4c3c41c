"""The ledger as a page: state, cause, age, and the two actions a person has."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from crm_sync.admin.ledger_figures import ledger_figures
from crm_sync.models import Handoff, HandoffTask, Owner, Reassignment
from crm_sync.models.handoff import HandoffQuerySet
from crm_sync.receivers import wake_delivery
from leadscoring.admin import confirmation
from leadscoring.admin.model_admin import FilterQuestion, QuestionFilter, ReadOnlyModelAdmin
from leadscoring.admin.search import PeopleSearch
from leadscoring.common import format
from leadscoring.common.spans import format_duration

LATE = timedelta(minutes=15)
TONES = {
    Handoff.Status.WAITING: "info",
    Handoff.Status.DELIVERED: "good",
    Handoff.Status.NEEDS_ATTENTION: "bad",
    Handoff.Status.WITHDRAWN: "plain",
}


TASK_TONES = {
    HandoffTask.State.OPEN: "warm",
    HandoffTask.State.STARTED: "info",
    HandoffTask.State.DONE: "good",
    HandoffTask.State.DELETED: "plain",
    HandoffTask.State.CLOSED: "plain",
}


class HandoffQuestions(QuestionFilter):
    questions = {
        "attention": FilterQuestion("Needs attention", lambda rows, at: rows.needing_attention()),
        "late": FilterQuestion(
            "Waiting over 15 minutes", lambda rows, at: rows.waiting_since(at - LATE)
        ),
        "overdue": FilterQuestion("Task overdue", lambda rows, at: rows.with_overdue_task(at)),
        "no-owner": FilterQuestion("No owner", lambda rows, at: rows.without_owner()),
        "waiting": FilterQuestion("Waiting", lambda rows, at: rows.waiting()),
        "delivered": FilterQuestion("Delivered", lambda rows, at: rows.delivered()),
        "withdrawn": FilterQuestion("Kept here", lambda rows, at: rows.withdrawn()),
    }


def attention_badge(request: HttpRequest) -> str:
    """Return how many handoffs need a person, for the link in the sidebar."""
    if not request.user.has_perm("crm_sync.view_handoff"):
        return ""
    number = Handoff.objects.needing_attention()[:100].count()
    return "99+" if number > 99 else str(number or "")


def task_text_shown(row: Handoff) -> str:
    company = f", {row.contact.company}" if row.contact.company else ""
    return f"{row.contact}{company} ({row.reference}, {row.get_status_display().lower()})"


@admin.register(Handoff)
class HandoffAdmin(PeopleSearch[Handoff], ReadOnlyModelAdmin[Handoff]):
    change_form_template = "admin/crm_sync/handoff/change_form.html"
    list_before_template = "admin/crm_sync/handoff/above.html"
    contact_path = "contact_id"
    nothing = "Nobody has become ready for sales yet."
    list_display = ("who", "score", "state", "cause", "crossed", "rep")
    list_select_related = ("contact__company", "task")
    list_filter = (HandoffQuestions,)
    search_help_text = "Any part of a name, company or e-mail, or a reference (LS-…)"
    ordering = ("-pk",)
    actions = ("resend", "withdraw")
    fields = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Handoff]:
        names = Owner.objects.filter(owner_id=OuterRef("owner_id")).values("name")[:1]
        return super().get_queryset(request).annotate(owner_name=Subquery(names))

    def search(self, rows: QuerySet[Handoff], typed: str) -> QuerySet[Handoff]:
        if typed.strip().upper().startswith("LS-"):
            return rows.filter(reference__startswith=typed.strip().upper())
        return super().search(rows, typed)

    def has_resend_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, "change_handoff")

    # --- list

    @admin.display(description="Contact", ordering="contact__last_name")
    def who(self, handoff: Handoff) -> SafeString:
        company = handoff.contact.company
        return format.two_lines_html(
            handoff.contact, company.name if company else handoff.reference
        )

    @admin.display(description="Score", ordering="total")
    def score(self, handoff: Handoff) -> SafeString:
        return format_html(
            '<b class="ls-total">{} {}</b>', format.format_number(handoff.total), handoff.grade
        )

    @admin.display(description="State", ordering="status")
    def state(self, handoff: Handoff) -> SafeString:
        return format_html(
            '<span class="ls-badges">{}{}</span>',
            handoff_state(handoff),
            task_state_text(handoff.task_or_none),
        )

    @admin.display(description="Why")
    def cause(self, handoff: Handoff) -> SafeString:
        if not handoff.reason:
            return format.NOTHING
        return format_html('<span class="ls-wrap ls-cause">{}</span>', handoff.reason)

    @admin.display(description="Ready for sales", ordering="crossed_at")
    def crossed(self, handoff: Handoff) -> SafeString:
        return format.moment_html(handoff.crossed_at)

    @admin.display(description="Rep")
    def rep(self, handoff: Any) -> object:
        return format.nowrap_html(handoff.owner_name or handoff.owner_id)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Read when the page is drawn: who may not see the list is shown nobody.
        told = {} if request.method == "POST" else {"figures": partial(ledger_figures, now())}
        return super().changelist_view(request, told | (extra_context or {}))

    # --- actions

    @admin.action(description="Resend now", permissions=["resend"])
    def resend(self, request: HttpRequest, queryset: HandoffQuerySet) -> HttpResponse | None:
        """Send undelivered ones at once; skip those that a worker has claimed or that are done."""
        chosen = queryset.count()
        with transaction.atomic():
            resent = Handoff.objects.filter(pk__in=queryset.values("pk")).resend(now())
            transaction.on_commit(wake_delivery)
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

    @admin.action(description="Keep here…", permissions=["resend"])
    def withdraw(self, request: HttpRequest, queryset: HandoffQuerySet) -> HttpResponse | None:
        """Withdraw with a reason those of which nothing was made in the CRM yet."""
        reason = confirmation.typed_reason(request)
        if not (confirmation.is_confirmed(request) and reason):
            return confirmation.render_confirmation(
                self,
                request,
                queryset.select_related("contact__company"),
                action="withdraw",
                named=task_text_shown,
                title="Keep here",
                what_happens="These people are kept here and not sent to sales. A handoff that was delivered, whose "
                "task may exist, or that a worker holds at this moment, stays as it is.",
                button="Keep here",
                wants_reason=True,
            )
        chosen = queryset.count()
        reason = f"Kept here by {request.user}: {reason}"
        gone = Handoff.objects.filter(pk__in=queryset.values("pk")).withdraw(reason, now())
        left = f"; {chosen - gone} could not be taken back any more" if chosen > gone else ""
        self.message_user(
            request, f"{gone} kept here{left}.", messages.SUCCESS if gone else messages.WARNING
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
        page = handoff_page_context(handoff, now()) if handoff else {}
        return super().changeform_view(request, object_id, form_url, page | (extra_context or {}))


def handoff_state(handoff: Handoff) -> SafeString:
    status = Handoff.Status(handoff.status)
    return format.badge_html(status.label, TONES[status])


def task_state_text(task: HandoffTask | None) -> SafeString:
    """Return the last seen state of a task; empty where none was made."""
    if task is None:
        return SafeString()
    state = HandoffTask.State(task.state)
    return format.badge_html(state.label, TASK_TONES[state])


def handoff_page_context(handoff: Any, at: datetime) -> dict[str, Any]:
    """Return the progress of a handoff, step by step."""
    state, task = getattr(handoff.contact, "crm_state", None), handoff.task_or_none
    return {
        "handoff": handoff,
        "state": handoff_state(handoff),
        "steps": handoff_steps(handoff),
        "task": task,
        "task_state": task_state_text(task),
        "first_touch": format_duration(task.touched_at - handoff.delivered_at)
        if task and task.touched_at
        else "",
        "overdue": task is not None and task.is_overdue(at),
        "record_url": state.record_url if state and state.record_url.startswith("http") else "",
        "next_try": handoff.due_at if handoff.status == Handoff.Status.WAITING else None,
        "in_hand": handoff.claim is not None and handoff.due_at > at,
        "points": [
            {**reason, "points": format.format_number(reason["points"])}
            for reason in handoff.reasons
        ],
    }


def handoff_steps(handoff: Any) -> list[dict[str, Any]]:
    """Return the steps in order: done or not, the result, and when where that is known."""
    given = list(handoff.reassignments.order_by("pk"))
    ids = {
        handoff.owner_id,
        *(id_ for row in given for id_ in (row.from_owner_id, row.to_owner_id)),
    }
    names = {owner.owner_id: str(owner) for owner in Owner.objects.filter(owner_id__in=ids)}
    chosen = first_rep(handoff, given, names)
    crossed = f"Score {format.format_number(handoff.total)}, {handoff.grade}"
    return [
        {"name": "Became ready for sales", "done": True, "what": crossed, "at": handoff.crossed_at},
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
        *(reassignment_step(row, names) for row in given),
    ]


def first_rep(handoff: Handoff, given: Iterable[Reassignment], names: Mapping[str, str]) -> str:
    """Return who had the task first, and why where that was not written over by a later rep's."""
    givers = [row.from_owner_id for row in given if row.state in (row.State.GIVEN, row.State.MOVED)]
    rep = names.get(id_ := [*givers, handoff.owner_id][0], id_)
    return f"{rep}: {handoff.owner_reason}" if handoff.owner_reason and not givers else rep


def reassignment_step(row: Reassignment, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the step of a task that was given to another rep, or is to be."""
    giver, taker = (names.get(id_, id_) for id_ in (row.from_owner_id, row.to_owner_id))
    why = f"{taker}: {row.owner_reason}" if row.owner_reason else taker
    return {
        "name": f"Given by {row.asked_by} from {giver} to others",
        "done": row.state in (row.State.GIVEN, row.State.MOVED),
        "what": " – ".join(filter(None, [row.get_state_display(), why, row.reason])),
        "at": row.settled_at,
    }

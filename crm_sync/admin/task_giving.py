"""Give the open tasks of a rep who is away or has left to others: asked, confirmed, and how it went."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from crm_sync.account import account_time_zone
from crm_sync.models import HandoffTask, Owner, Reassignment, RoutingRule
from crm_sync.routing.availability import unavailable_reason
from crm_sync.routing.choose import RoutingTable
from crm_sync.routing.known_lead import lead_from_database
from crm_sync.tasks import give_tasks
from leadscoring.admin import confirmation
from leadscoring.admin.model_admin import AppModelAdmin
from leadscoring.common.turns import send_next_turn
from leadscoring.engine.wording import format_count

BY_RULES = "rules"
WHAT_HAPPENS = (
    "Their open tasks go to others in the CRM, within a minute or so. A task that is done, deleted or "
    "given to somebody else there meanwhile stays as it is, and so does the contact's owner."
)
State = Reassignment.State
HOW_IT_WENT = {
    State.GIVEN: "given to others",
    State.DONE: "done meanwhile",
    State.MOVED: "given to somebody else in the CRM meanwhile",
    State.DELETED: "deleted meanwhile",
    State.FAILED: "not given",
    State.WAITING: "on the way",
}
WITH_REP = (State.GIVEN, State.MOVED)


def give_open_tasks(
    page: AppModelAdmin[Owner], request: HttpRequest, reps: QuerySet[Owner]
) -> HttpResponse | None:
    """Ask who gets the open tasks of some reps; once confirmed, leave the rest to a worker."""
    at, owner_ids = now(), list(reps.values_list("owner_id", flat=True))
    counts = open_task_counts(owner_ids)
    if not counts:
        page.message_user(request, "There are no open tasks to give.", messages.WARNING)
        return None
    chosen = request.POST.get("choice", "")
    takers = [] if chosen == BY_RULES else takers_of(owner_ids, at)
    offered = {BY_RULES, *(owner.owner_id for owner in takers)}
    if not (confirmation.is_confirmed(request) and chosen in offered):
        takers = takers or takers_of(owner_ids, at)
        return confirmation.render_confirmation(
            page,
            request,
            reps,
            action="give_tasks",
            title="Give open tasks to others",
            what_happens=WHAT_HAPPENS,
            button="Give them",
            choices=[
                (BY_RULES, f"By the routing rules: {preview_by_rules(owner_ids, at)}"),
                *((owner.owner_id, f"All to {owner}") for owner in takers),
            ],
            choice_label="To whom",
            named=lambda rep: f"{rep}: {open_tasks_text(counts.get(rep.owner_id, 0))}",
        )
    with transaction.atomic():
        to_owner_id = "" if chosen == BY_RULES else chosen
        asked = Reassignment.objects.ask(owner_ids, to_owner_id, request.user.get_username(), at)
        transaction.on_commit(lambda: send_next_turn(give_tasks.name))
    page.message_user(request, f"{open_tasks_text(asked)} on the way to others.")
    return None


def open_tasks_text(count: int) -> str:
    return format_count(count, "open task")


def open_task_counts(owner_ids: Collection[str]) -> dict[str, int]:
    """Return the number of open tasks that can be given, by rep; reps without any are left out."""
    rows = HandoffTask.objects.to_give(owner_ids).order_by().values_list("handoff__owner_id")
    return dict(rows.annotate(n=Count("pk")))


def takers_of(owner_ids: Collection[str], at: datetime) -> list[Owner]:
    """Return the reps who can get tasks now: there, and not among those whose tasks are given."""
    zone, giving = account_time_zone(), {*owner_ids, *Reassignment.objects.givers()}
    return [
        owner
        for owner in Owner.objects.exclude(owner_id__in=giving).order_by("name", "pk")
        if not unavailable_reason(owner, at, zone, bounded=False)
    ]


def preview_by_rules(owner_ids: Collection[str], at: datetime) -> str:
    """Return "Bob 4, Cid 3": who would get the tasks now. Nothing is asked of the CRM or changed."""
    giving = {*owner_ids, *Reassignment.objects.givers()}
    rules = RoutingRule.objects.in_force()
    routing = RoutingTable(rules, Owner.objects.exclude(owner_id__in=giving).order_by("pk"), account_time_zone())  # fmt: skip
    tasks = HandoffTask.objects.to_give(owner_ids).order_by("pk")
    found: Counter[str] = Counter()
    for task in tasks.select_related("handoff__contact__company", "handoff__contact__crm_state"):
        choice = routing.choose(lead_from_database(task.handoff.contact, rules, giving), at)
        routing.give(choice, at)
        found[str(choice.owner or "nobody")] += 1
    return ", ".join(f"{name} {number}" for name, number in found.most_common())


# --- the rep's page


def last_giving(owner: Owner) -> str:
    """Return how the last giving of a rep's tasks went, as a sentence; "" when there was none."""
    rows = Reassignment.objects.filter(from_owner_id=owner.owner_id)
    last = rows.order_by("-asked_at").first()
    if last is None:
        return ""
    counted = rows.filter(asked_at=last.asked_at).order_by()
    found = counted.values_list("state", "to_owner_id", "reason").annotate(n=Count("pk"))
    return f"{last.asked_at:%Y-%m-%d %H:%M} UTC by {last.asked_by}: {giving_sentence(list(found))}."


def giving_sentence(counted: Sequence[tuple[str, str, str, int]]) -> str:
    """Return "5 given to others (Bob 3; Cid 2), 2 done meanwhile".

    `counted`: state, new rep, reason and number.
    """
    names = {owner.owner_id: str(owner) for owner in Owner.objects.all()}
    told = []
    for state, words in HOW_IT_WENT.items():
        rows = [row for row in counted if row[0] == state]
        if not rows:
            continue
        details = [
            f"{names.get(owner_id, owner_id)} {n}" if state in WITH_REP else reason.rstrip(".")
            for _, owner_id, reason, n in sorted(rows, key=lambda row: -row[-1])
        ]
        listed = "; ".join(dict.fromkeys(filter(None, details)))
        number = sum(n for *_, n in rows)
        told.append(f"{number} {words} ({listed})" if listed else f"{number} {words}")
    return ", ".join(told)

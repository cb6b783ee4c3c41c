"""Problems of handoffs and of the CRM's side that need a person: each with its cause and what to do."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, F
from django.urls import NoReverseMatch, reverse

from crm_sync.circuit_breaker import open_breakers_now
from crm_sync.connect import connect, missing_setting
from crm_sync.models import Breaker, Handoff, HandoffTask, Owner, PullReport, Stage
from crm_sync.problems import daily_reports
from crm_sync.pull import sweep
from crm_sync.push.batch import recent_rejections
from crm_sync.routing.availability import is_rejected
from leadscoring.common.format import change_url
from leadscoring.common.spans import format_span, spell_span
from leadscoring.engine import wording
from leadscoring.models import CrmFreshness
from leadscoring.operations.health import Problem

LONG_WAIT = timedelta(minutes=15)
MOST_CAUSES = 10


def crm_problems(at: datetime) -> list[Problem]:
    connection = list(connection_problems())
    return [
        *connection,
        *([] if connection else breaker_problems(at)),
        *attention_problems(),
        *overdue_problems(at),
        *left_out_problems(at),
        *rep_problems(at),
        *stage_problems(),
        *([] if connection else pull_problems(at)),
        *([] if connection else daily_reports.daily_problems(at)),
    ]


def connection_problems() -> Iterator[Problem]:
    if not connect().connected:
        yield Problem(
            "error",
            "No CRM is connected: leads that are ready wait here, and mail is held.",
            f"Set {missing_setting()} and restart the processes.",
            "",
        )


def check_crm_access(at: datetime) -> str:
    """Return why the CRM denies us access, for the readiness check; "" when it does not.

    With no CRM connected nobody denies anything: that is a choice, and the home page says so.
    """
    if not connect().connected:
        return ""
    return next(
        (breaker.reason for breaker in open_breakers_now(connect(), at) if breaker.denied), ""
    )


def check_crm_state(at: datetime) -> str:
    """Return why the stored CRM state is not usable, for the readiness check; "" when it is.

    With no CRM connected there is no state to be outdated.
    """
    if not connect().connected:
        return ""
    as_of = CrmFreshness.oldest()
    if as_of is None:
        return "the CRM's state was never read"
    age = (at - as_of).total_seconds()
    return f"the CRM's state is {age:.0f} s old" if age > settings.CRM_MAX_AGE_SECONDS else ""


def breaker_problems(at: datetime) -> Iterator[Problem]:
    """Yield what stops all work of one kind: one alarm for each cause, however many leads wait."""
    causes: dict[str, list[Breaker]] = {}
    for breaker in open_breakers_now(connect(), at):
        causes.setdefault(breaker.reason, []).append(breaker)
    for reason, found in causes.items():
        first, *others = [str(Breaker.Work(breaker.work).label) for breaker in found]
        works = wording.join_and([first, *(label[0].lower() + label[1:] for label in others)])
        length = format_span(at - min(breaker.since for breaker in found))
        yield Problem(
            "error",
            f"{works}: held back for {length}. {reason}",
            "It goes on by itself as soon as the cause is gone."
            if found[0].denied
            else "It is tried again by itself; nothing is lost meanwhile.",
            admin_list_url("handoff"),
        )


def attention_problems() -> Iterator[Problem]:
    """Yield handoffs that wait for a person, by their cause, the most frequent first."""
    causes = Handoff.objects.needing_attention().values("reason").annotate(n=Count("pk"))
    for cause in causes.order_by("-n", "reason")[:MOST_CAUSES]:
        yield Problem(
            "error",
            f"{count_leads(cause['n'])} not handed to sales: {cause['reason']}",
            "" if "press Resend" in cause["reason"] else "Mend the cause, then press Resend.",
            admin_list_url("handoff", "ask=attention"),
        )


def overdue_problems(at: datetime) -> Iterator[Problem]:
    """Yield handoffs that should be with sales by now, by the cause of the last attempt."""
    late = Handoff.objects.waiting().filter(crossed_at__lt=at - LONG_WAIT)
    for cause in (
        late.values("reason").annotate(n=Count("pk")).order_by("-n", "reason")[:MOST_CAUSES]
    ):
        reason = cause["reason"] or "No worker has taken them up."
        yield Problem(
            "error",
            f"{count_leads(cause['n'])} on the way to sales for more than 15 minutes: {reason}",
            "They are tried again by themselves as soon as the cause is gone; check that a worker and beat run.",
            admin_list_url("handoff", "ask=late"),
        )


def left_out_problems(at: datetime) -> Iterator[Problem]:
    """Yield properties that the CRM rejected recently: the leads went without them."""
    recent = Handoff.objects.delivered().filter(crossed_at__gt=at - timedelta(days=1))
    rows = recent.exclude(left_out={}).order_by("-crossed_at")
    refused: dict[str, str] = {}
    told = recent_rejections(at - timedelta(days=1))
    for reasons in [*rows.values_list("left_out", flat=True)[:100], *told]:
        refused = reasons | refused
    for name, reason in sorted(refused.items())[:MOST_CAUSES]:
        yield Problem(
            "warning",
            f"Leads went to the CRM without {name}: {reason}.",
            "Run crm_setup, or mend the field's mapping.",
            admin_list_url("fieldmapping"),
        )


def rep_problems(at: datetime) -> Iterator[Problem]:
    """Yield problems of reps. Before the first pull there are none, which the pull's problem reports."""
    owners = list(Owner.objects.all())
    active = [owner for owner in owners if owner.active]
    if owners and not any(owner.takes_leads or owner.is_fallback for owner in active):
        yield Problem(
            "error",
            "No rep takes leads: who has no owner in the CRM cannot be handed off.",
            "Let at least one active rep take leads, or make one the fallback.",
            admin_list_url("owner"),
        )
    for owner in active:
        if is_rejected(owner, at):
            yield Problem(
                "warning",
                f"The CRM does not accept {owner} as the owner of tasks: {owner.rejected_reason}",
                "Their leads go to others for a day, then they are tried again. Give them a seat in the "
                "CRM, or let them take no leads.",
                admin_list_url("owner"),
            )
    yield from leaver_problems({owner.owner_id: owner for owner in owners if not owner.active})


def leaver_problems(gone: Mapping[str, Owner]) -> Iterator[Problem]:
    """Yield reps gone from the CRM, by id, with open tasks that will not be done."""
    rows = HandoffTask.objects.to_give(gone)
    counted = rows.values(owner_id=F("handoff__owner_id")).annotate(n=Count("pk"))
    for found in counted.order_by("-n")[:MOST_CAUSES]:
        rep = gone[found["owner_id"]]
        tasks = "1 open task" if found["n"] == 1 else f"{found['n']} open tasks"
        yield Problem(
            "warning",
            f"{rep} is not active in the CRM any more and has {tasks}.",
            "Open the rep and press Give open tasks to others.",
            change_url(rep),
        )


def stage_problems() -> Iterator[Problem]:
    unset = Stage.objects.filter(effect="", archived=False).order_by("pipeline", "position")
    for stage in unset[:MOST_CAUSES]:
        yield Problem(
            "warning",
            f"Nobody has set what the deal stage {stage.label} ({stage.pipeline}) does: its contacts' mail is held.",
            "Say on the board whether it pauses or stops their mail, or does nothing.",
            admin_list_url("stage"),
        )


def pull_problems(at: datetime) -> Iterator[Problem]:
    """Yield a failed last pull, or stored CRM data that is too old to send by."""
    report = PullReport.objects.first()
    if (
        report
        and report.error
        and report.error not in {breaker.reason for breaker in open_breakers_now(connect(), at)}
    ):
        yield Problem(
            "error",
            f"The CRM could not be read: {report.error}",
            "It is tried again every minute.",
            "",
        )
    as_of = CrmFreshness.oldest()
    if as_of is None and (so_far := sweep.first_round_progress()):
        yield Problem(
            "warning",
            f"The CRM is being read for the first time, {so_far:,} people so far: mail is held until all are.",
            "It goes on by itself; crm_pull shows how far it is.",
            "",
        )
    elif as_of is None:
        yield Problem(
            "error",
            "The CRM was never read: mail is held until it is.",
            "Check that a worker and beat run, or run crm_pull.",
            "",
        )
    elif as_of < at - timedelta(seconds=settings.CRM_MAX_AGE_SECONDS):
        yield Problem(
            "error",
            f"What is known of the CRM is {spell_span(at - as_of)} old: mail is held.",
            "Check that a worker and beat run; crm_pull reads it now and says what is wrong.",
            "",
        )


def count_leads(count: int) -> str:
    return "1 lead" if count == 1 else f"{count} leads"


def admin_list_url(model: str, query: str = "") -> str:
    """Return the address of a list in the admin; "" where it has none."""
    try:
        address = reverse(f"admin:crm_sync_{model}_changelist")
    except NoReverseMatch:
        return ""
    return f"{address}?{query}" if query else address

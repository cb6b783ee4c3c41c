"""What of the handoffs and of the CRM's side needs a person: each with its cause and what to do."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count
from django.urls import NoReverseMatch, reverse

from crm_sync.connect import connect, credentials
from crm_sync.holding import holds
from crm_sync.models import Handoff, Hold, Owner, PullReport, Stage
from crm_sync.problems import daily
from crm_sync.pull import sweeping
from crm_sync.pushing import refusals
from leadscoring import shown
from leadscoring.engine import wording
from leadscoring.health import Problem
from leadscoring.models import CrmFreshness

LONG_WAIT = timedelta(minutes=15)
MOST_CAUSES = 10


def tell(sender: object, at: datetime, **kwargs: object) -> list[Problem]:
    """Receiver of problems_wanted."""
    connection = list(not_connected())
    return [
        *connection,
        *([] if connection else held(at)),
        *needing_attention(),
        *waiting_long(at),
        *left_out(at),
        *reps(),
        *stages(),
        *([] if connection else pulls(at)),
        *([] if connection else daily.tell(at)),
    ]


def not_connected() -> Iterator[Problem]:
    if not connect().connected:
        yield Problem(
            "error",
            "No CRM is connected: leads that are ready wait here, and mail is held.",
            f"Set {credentials()} and restart the processes.",
            "",
        )


def crm_access(at: datetime) -> str:
    """Why the CRM does not let us in, for the readiness check; "" when it does."""
    return next((hold.because for hold in holds(connect(), at) if hold.denied), "")


def held(at: datetime) -> Iterator[Problem]:
    """What stops everything of one kind: one alarm for each cause, however many leads wait."""
    causes: dict[str, list[Hold]] = {}
    for hold in holds(connect(), at):
        causes.setdefault(hold.because, []).append(hold)
    for because, found in causes.items():
        first, *others = [str(Hold.Work(hold.work).label) for hold in found]
        works = wording.enumerated([first, *(label[0].lower() + label[1:] for label in others)])
        length = shown.span(at - min(hold.since for hold in found))
        yield Problem(
            "error",
            f"{works}: held back for {length}. {because}",
            "It goes on by itself as soon as the cause is gone."
            if found[0].denied
            else "It is tried again by itself; nothing is lost meanwhile.",
            page("handoff"),
        )


def needing_attention() -> Iterator[Problem]:
    """Handoffs that wait for a person, by their cause, the most frequent first."""
    causes = Handoff.objects.needing_attention().values("because").annotate(n=Count("pk"))
    for cause in causes.order_by("-n", "because")[:MOST_CAUSES]:
        yield Problem(
            "error",
            f"{leads(cause['n'])} not handed to sales: {cause['because']}",
            "" if "press Resend" in cause["because"] else "Mend the cause, then press Resend.",
            page("handoff", "ask=attention"),
        )


def waiting_long(at: datetime) -> Iterator[Problem]:
    """Handoffs that should be with sales by now, by the cause of the last attempt."""
    late = Handoff.objects.waiting().filter(crossed_at__lt=at - LONG_WAIT)
    for cause in (
        late.values("because").annotate(n=Count("pk")).order_by("-n", "because")[:MOST_CAUSES]
    ):
        because = cause["because"] or "No worker has taken them up."
        yield Problem(
            "error",
            f"{leads(cause['n'])} on the way to sales for more than 15 minutes: {because}",
            "They are tried again by themselves as soon as the cause is gone; check that a worker and beat run.",
            page("handoff", "ask=late"),
        )


def left_out(at: datetime) -> Iterator[Problem]:
    """Properties that the CRM did not take of late: the leads went without them."""
    recent = Handoff.objects.delivered().filter(crossed_at__gt=at - timedelta(days=1))
    rows = recent.exclude(left_out={}).order_by("-crossed_at")
    refused: dict[str, str] = {}
    told = refusals(at - timedelta(days=1))
    for reasons in [*rows.values_list("left_out", flat=True)[:100], *told]:
        refused = reasons | refused
    for name, reason in sorted(refused.items())[:MOST_CAUSES]:
        yield Problem(
            "warning",
            f"Leads went to the CRM without {name}: {reason}.",
            "Run crm_setup, or mend the field's mapping.",
            page("fieldmapping"),
        )


def reps() -> Iterator[Problem]:
    """Before the first pull nobody is known, which is told by the pull."""
    owners = list(Owner.objects.all())
    active = [owner for owner in owners if owner.active]
    if owners and not any(owner.takes_leads or owner.is_fallback for owner in active):
        yield Problem(
            "error",
            "No rep takes leads: who has no owner in the CRM cannot be handed off.",
            "Let at least one active rep take leads, or make one the fallback.",
            page("owner"),
        )
    yield from leavers({owner.owner_id: str(owner) for owner in owners if not owner.active})


def leavers(gone: Mapping[str, str]) -> Iterator[Problem]:
    """Reps who are not there any more, id -> name, with tasks that nobody will do."""
    open_tasks = Handoff.objects.with_open_task().filter(owner_id__in=gone).order_by()
    for found in open_tasks.values("owner_id").annotate(n=Count("pk")).order_by("-n")[:MOST_CAUSES]:
        tasks = "1 open task" if found["n"] == 1 else f"{found['n']} open tasks"
        yield Problem(
            "warning",
            f"{gone[found['owner_id']]} is not active in the CRM any more and has {tasks}.",
            "Give them to somebody else in the CRM.",
            page("handoff", f"owner_id={found['owner_id']}"),
        )


def stages() -> Iterator[Problem]:
    unset = Stage.objects.filter(effect="", archived=False).order_by("pipeline", "position")
    for stage in unset[:MOST_CAUSES]:
        yield Problem(
            "warning",
            f"Nobody has set what the deal stage {stage.label} ({stage.pipeline}) does: its contacts' mail is held.",
            "Say on the board whether it pauses or stops their mail, or does nothing.",
            page("stage"),
        )


def pulls(at: datetime) -> Iterator[Problem]:
    """The last pull failed, or what is known of the CRM is too old to send by."""
    report = PullReport.objects.first()
    if (
        report
        and report.error
        and report.error not in {hold.because for hold in holds(connect(), at)}
    ):
        yield Problem(
            "error",
            f"The CRM could not be read: {report.error}",
            "It is tried again every minute.",
            "",
        )
    as_of = CrmFreshness.oldest()
    if as_of is None and (so_far := sweeping.first_round()):
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
        minutes = (at - as_of) // timedelta(minutes=1)
        yield Problem(
            "error",
            f"What is known of the CRM is {minutes} minutes old: mail is held.",
            "Check that a worker and beat run; crm_pull reads it now and says what is wrong.",
            "",
        )


def leads(count: int) -> str:
    return "1 lead" if count == 1 else f"{count} leads"


def page(model: str, query: str = "") -> str:
    """A list in the admin; "" where it has none."""
    try:
        address = reverse(f"admin:crm_sync_{model}_changelist")
    except NoReverseMatch:
        return ""
    return f"{address}?{query}" if query else address

"""Audit of sales handoff: all calls to the CRM, all fields sent and read, and what is wrong now."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from crm_sync import connect, webhook_arrivals
from crm_sync.account import read_account
from crm_sync.mapping import field_usage
from crm_sync.mapping.record_values import wanted_properties
from crm_sync.models import Account, FieldMapping, Owner, Report, reports
from crm_sync.port import Crm, CrmAudit, CrmBusy, CrmCall, CrmError, CrmField, CrmFlaw, CrmOff
from crm_sync.problems import current
from crm_sync.problems.people import opt_out_problems
from leadscoring.models import CrmFreshness
from leadscoring.operations.health import Problem, heartbeat_problems

ERROR, WARNING = "error", "warning"


@dataclass(slots=True)
class Audit:
    """`flaws`: problems of the CRM's side; `here`: of our own. Severity "error": no handoff works."""

    at: datetime
    calls: Sequence[CrmCall]
    fields: Sequence[CrmField]
    token: dict[str, Any] = field(default_factory=dict)
    budget: dict[str, Any] = field(default_factory=dict)
    webhooks: bool = False
    heard_at: datetime | None = None
    last_pull_at: datetime | None = None
    flaws: list[Problem] = field(default_factory=list)
    here: list[Problem] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    read: list[dict[str, Any]] = field(default_factory=list)

    @property
    def problems(self) -> list[Problem]:
        """Return the problems of both sides, the worst first."""
        told = {problem.what: problem for problem in [*self.flaws, *self.here]}
        return sorted(told.values(), key=lambda problem: problem.severity != ERROR)

    @property
    def works(self) -> bool:
        return not any(problem.severity == ERROR for problem in self.problems)

    def as_dict(self) -> dict[str, Any]:
        pulled = self.last_pull_at
        return {
            "works": self.works,
            "calls": [call_as_dict(call, self.at) for call in self.calls],
            "fields_sent": self.sent,
            "fields_read": self.read,
            "token": self.token,
            "budget": self.budget,
            "webhooks": "on" if self.webhooks else "off",
            "webhooks_last_at": self.heard_at.isoformat() if self.heard_at else None,
            "last_pull_at": pulled.isoformat() if pulled else None,
            "last_pull_age_seconds": round((self.at - pulled).total_seconds()) if pulled else None,
            "problems": [problem_as_dict(problem) for problem in self.problems],
        }


def run_audit(crm: Crm, at: datetime) -> Audit:
    """Audit the CRM and our own side. Change nothing but the stored report."""
    asking = crm.with_priority("polling")
    calls, fields = connect.call_surface()
    mappings = list(FieldMapping.objects.sent().order_by("pk"))
    there = ask_crm(asking, mappings, at)
    found = Audit(at, calls, fields, token=dict(there.token), budget=asdict(asking.budget()))
    found.webhooks, found.heard_at = (
        webhook_arrivals.webhooks_enabled(),
        webhook_arrivals.last_webhook_at(),
    )
    found.last_pull_at = CrmFreshness.oldest()
    found.flaws = [problem_from_flaw(flaw) for flaw in there.problems]
    found.here = list(local_problems(asking, at))
    either_way = list(FieldMapping.objects.filter(enabled=True).order_by("pk"))
    found.sent, found.read = (
        field_usage.sent_fields(fields, mappings),
        field_usage.read_fields(fields, either_way),
    )
    store_audit(found)
    return found


def store_audit(found: Audit) -> None:
    """Store the report. Its `flaws` are the CRM's side alone: the home page shows our own side live."""
    errors = [problem for problem in found.problems if problem.severity == ERROR]
    flaws = {"flaws": [problem_as_dict(problem) for problem in found.flaws]}
    reports.store_report(Report.Kind.AUDIT, found.at, found.as_dict() | flaws, wrong=len(errors))


# --- the CRM's side -----------------------------------------------------------------------------
def ask_crm(crm: Crm, mappings: Sequence[FieldMapping], at: datetime) -> CrmAudit:
    """Return the CRM's audit; an error of the CRM becomes its flaw."""
    try:
        there = crm.audit(
            wanted_properties(mappings, crm.made_properties),
            [mapping.property for mapping in mappings],
            at,
        )
    except CrmError as error:
        return CrmAudit({}, [flaw_from_error(error)])
    stopped = any(flaw.stops for flaw in there.problems)
    strange = [] if stopped else list(account_flaw(crm, at))
    return CrmAudit(there.token, [*there.problems, *strange])


def account_flaw(crm: Crm, at: datetime) -> Iterator[CrmFlaw]:
    """Yield a flaw for a token of another account. The first token ever is neither checked nor bound."""
    if Account.objects.exists():
        try:
            read_account(crm, at)
        except CrmError as error:
            yield flaw_from_error(error)


def flaw_from_error(error: CrmError) -> CrmFlaw:
    if isinstance(error, CrmOff):
        return CrmFlaw(str(error), "Set it and restart the processes.", stops=True)
    if isinstance(error, CrmBusy):
        fix = "It is tried again by itself and nothing is lost; if it stays, look at the network."
        return CrmFlaw(str(error), fix, stops=True)
    return CrmFlaw(str(error), "Mend it; handoffs go on by themselves then.", stops=True)


def problem_from_flaw(flaw: CrmFlaw) -> Problem:
    return Problem(ERROR if flaw.stops else WARNING, flaw.what, flaw.fix)


# --- our side -----------------------------------------------------------------------------------
def local_problems(crm: Crm, at: datetime) -> Iterator[Problem]:
    yield from heartbeat_problems(at)
    if crm.connected:
        yield from current.breaker_problems(at)
        yield from routing_problems(crm, at)
        # A stale pull holds mail back, but no handoff: a warning.
        for problem in current.pull_problems(at):
            yield Problem(WARNING, problem.what, problem.fix, problem.url)
        yield from webhook_arrivals.rejected_webhooks(at)
        yield from opt_out_problems()


def routing_problems(crm: Crm, at: datetime) -> Iterator[Problem]:
    """Yield problems of reps: one must take leads, and one should be the fallback."""
    if not Owner.objects.exists():
        yield from no_owner_known(crm)
        return
    yield from current.rep_problems(at)
    fallback = Owner.objects.filter(Q(active=True), is_fallback=True)
    if not fallback.exists():
        yield Problem(
            WARNING,
            "Nobody is the fallback: a lead for which no rule finds a rep waits for a person.",
            "Make one active rep the fallback.",
            current.admin_list_url("owner"),
        )


def no_owner_known(crm: Crm) -> Iterator[Problem]:
    """Yield a problem when the CRM has no active user. Before the first pull no rep is known here."""
    try:
        if any(owner.active for owner in crm.owners()):
            return
    except CrmError:
        return  # reported already, as a flaw of `ask_crm`
    yield Problem(
        ERROR,
        "The CRM has no active user whom a lead could be given to.",
        "Add a user in the CRM.",
    )


# --- as JSON ------------------------------------------------------------------------------------
def call_as_dict(call: CrmCall, at: datetime) -> dict[str, Any]:
    left = (call.until - at.date()).days if call.until else None
    return asdict(call) | {
        "until": call.until.isoformat() if call.until else None,
        "days_left": left,
    }


def problem_as_dict(problem: Problem) -> dict[str, str]:
    return {"severity": problem.severity, "what": problem.what, "fix": problem.fix}

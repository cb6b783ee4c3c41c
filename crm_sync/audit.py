"""Would sales handoff work now? All that is asked of the CRM, sent and read, and what is wrong with it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from crm_sync import connect, webhooks
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
    """`flaws`: what the CRM's side lacks; `here`: what our own side does. Severity "error": no handoff."""

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
        """The worst first."""
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
    """Ask the CRM what it lacks, and look at our own side. Changes nothing but the kept report."""
    asking = crm.with_priority("polling")
    calls, fields = connect.call_surface()
    mappings = list(FieldMapping.objects.sent().order_by("pk"))
    there = ask_crm(asking, mappings, at)
    found = Audit(at, calls, fields, token=dict(there.token), budget=asdict(asking.budget()))
    found.webhooks, found.heard_at = webhooks.webhooks_enabled(), webhooks.last_webhook_at()
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
    """The row shows what the CRM said: our own side is told live on the home page."""
    errors = [problem for problem in found.problems if problem.severity == ERROR]
    flaws = {"flaws": [problem_as_dict(problem) for problem in found.flaws]}
    reports.store_report(Report.Kind.AUDIT, found.at, found.as_dict() | flaws, wrong=len(errors))


# --- the CRM's side -----------------------------------------------------------------------------
def ask_crm(crm: Crm, mappings: Sequence[FieldMapping], at: datetime) -> CrmAudit:
    """What the CRM answers; when it does not, that is the flaw."""
    try:
        there = crm.audit(
            wanted_properties(mappings), [mapping.property for mapping in mappings], at
        )
    except CrmError as error:
        return CrmAudit({}, [flaw_from_error(error)])
    stopped = any(flaw.stops for flaw in there.problems)
    strange = [] if stopped else list(account_flaw(crm, at))
    return CrmAudit(there.token, [*there.problems, *strange])


def account_flaw(crm: Crm, at: datetime) -> Iterator[CrmFlaw]:
    """A token of another account. The first token of all is not judged, and not bound either."""
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
        yield from routing_problems(crm)
        # Old knowledge holds mail, and no handoff.
        for problem in current.pull_problems(at):
            yield Problem(WARNING, problem.what, problem.fix, problem.url)
        yield from webhooks.rejected_webhooks(at)
        yield from opt_out_problems()


def routing_problems(crm: Crm) -> Iterator[Problem]:
    """Somebody must take leads, and somebody should get those for which nobody else is found."""
    if not Owner.objects.exists():
        yield from no_owner_known(crm)
        return
    yield from current.rep_problems()
    fallback = Owner.objects.filter(Q(active=True), is_fallback=True)
    if not fallback.exists():
        yield Problem(
            WARNING,
            "Nobody is the fallback: a lead for which no rule finds a rep waits for a person.",
            "Make one active rep the fallback.",
            current.admin_list_url("owner"),
        )


def no_owner_known(crm: Crm) -> Iterator[Problem]:
    """Before the first pull no rep is known here, and the CRM knows."""
    try:
        if any(owner.active for owner in crm.owners()):
            return
    except CrmError:
        return  # told already, as what the CRM said of the audit
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

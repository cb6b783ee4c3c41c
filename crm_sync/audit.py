"""Would sales handoff work now? All that is asked of the CRM, sent and read, and what is wrong with it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from crm_sync import connect, problems, webhooks
from crm_sync.account import ask_account
from crm_sync.mapping import touched, wanted_properties
from crm_sync.models import Account, FieldMapping, Owner, Report, reports
from crm_sync.port import Crm, CrmAudit, CrmBusy, CrmCall, CrmError, CrmField, CrmFlaw, CrmOff
from crm_sync.problems.people import untold_opt_outs
from leadscoring.health import Problem, silent
from leadscoring.models import CrmFreshness

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
            "calls": [told(call, self.at) for call in self.calls],
            "fields_sent": self.sent,
            "fields_read": self.read,
            "token": self.token,
            "budget": self.budget,
            "webhooks": "on" if self.webhooks else "off",
            "webhooks_last_at": self.heard_at.isoformat() if self.heard_at else None,
            "last_pull_at": pulled.isoformat() if pulled else None,
            "last_pull_age_seconds": round((self.at - pulled).total_seconds()) if pulled else None,
            "problems": [problem_row(problem) for problem in self.problems],
        }


def audit(crm: Crm, at: datetime) -> Audit:
    """Ask the CRM what it lacks, and look at our own side. Changes nothing but the kept report."""
    asking = crm.in_lane("polling")
    calls, fields = connect.surface()
    mappings = list(FieldMapping.objects.sent().order_by("pk"))
    there = ask(asking, mappings, at)
    found = Audit(at, calls, fields, token=dict(there.token), budget=asdict(asking.budget()))
    found.webhooks, found.heard_at = webhooks.enabled(), webhooks.last_at()
    found.last_pull_at = CrmFreshness.oldest()
    found.flaws = [problem_of(flaw) for flaw in there.problems]
    found.here = list(our_side(asking, at))
    either_way = list(FieldMapping.objects.filter(enabled=True).order_by("pk"))
    found.sent, found.read = touched.sent(fields, mappings), touched.read(fields, either_way)
    keep(found)
    return found


def keep(found: Audit) -> None:
    """The row shows what the CRM said: our own side is told live on the home page."""
    errors = [problem for problem in found.problems if problem.severity == ERROR]
    flaws = {"flaws": [problem_row(problem) for problem in found.flaws]}
    reports.keep(Report.Kind.AUDIT, found.at, found.as_dict() | flaws, wrong=len(errors))


# --- the CRM's side -----------------------------------------------------------------------------
def ask(crm: Crm, mappings: Sequence[FieldMapping], at: datetime) -> CrmAudit:
    """What the CRM answers; when it does not, that is the flaw."""
    try:
        there = crm.audit(
            wanted_properties(mappings), [mapping.property for mapping in mappings], at
        )
    except CrmError as error:
        return CrmAudit({}, [flaw_of(error)])
    stopped = any(flaw.stops for flaw in there.problems)
    strange = [] if stopped else list(another_account(crm, at))
    return CrmAudit(there.token, [*there.problems, *strange])


def another_account(crm: Crm, at: datetime) -> Iterator[CrmFlaw]:
    """A token of another account. The first token of all is not judged, and not bound either."""
    if Account.objects.exists():
        try:
            ask_account(crm, at)
        except CrmError as error:
            yield flaw_of(error)


def flaw_of(error: CrmError) -> CrmFlaw:
    if isinstance(error, CrmOff):
        return CrmFlaw(str(error), "Set it and restart the processes.", stops=True)
    if isinstance(error, CrmBusy):
        fix = "It is tried again by itself and nothing is lost; if it stays, look at the network."
        return CrmFlaw(str(error), fix, stops=True)
    return CrmFlaw(str(error), "Mend it; handoffs go on by themselves then.", stops=True)


def problem_of(flaw: CrmFlaw) -> Problem:
    return Problem(ERROR if flaw.stops else WARNING, flaw.what, flaw.fix)


# --- our side -----------------------------------------------------------------------------------
def our_side(crm: Crm, at: datetime) -> Iterator[Problem]:
    yield from silent(at)
    if crm.connected:
        yield from problems.held(at)
        yield from people(crm)
        # Old knowledge holds mail, and no handoff.
        for problem in problems.pulls(at):
            yield Problem(WARNING, problem.what, problem.fix, problem.url)
        yield from webhooks.refusals(at)
        yield from untold_opt_outs()


def people(crm: Crm) -> Iterator[Problem]:
    """Somebody must take leads, and somebody should get those for which nobody else is found."""
    if not Owner.objects.exists():
        yield from nobody_there(crm)
        return
    yield from problems.reps()
    fallback = Owner.objects.filter(Q(active=True), is_fallback=True)
    if not fallback.exists():
        yield Problem(
            WARNING,
            "Nobody is the fallback: a lead for which no rule finds a rep waits for a person.",
            "Make one active rep the fallback.",
            problems.page("owner"),
        )


def nobody_there(crm: Crm) -> Iterator[Problem]:
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
def told(call: CrmCall, at: datetime) -> dict[str, Any]:
    left = (call.until - at.date()).days if call.until else None
    return asdict(call) | {
        "until": call.until.isoformat() if call.until else None,
        "days_left": left,
    }


def problem_row(problem: Problem) -> dict[str, str]:
    return {"severity": problem.severity, "what": problem.what, "fix": problem.fix}

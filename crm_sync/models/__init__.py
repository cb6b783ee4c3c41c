from crm_sync.models.circuit_breaker import Breaker
from crm_sync.models.comparison_run import ComparisonRun
from crm_sync.models.cursors import AppliedChange, Cursor, PullReport, Round
from crm_sync.models.deal import Deal, Stage
from crm_sync.models.drift import Drift
from crm_sync.models.handoff import Handoff
from crm_sync.models.handoff_task import HandoffTask
from crm_sync.models.hints import Arrival, Hint
from crm_sync.models.link import SHOWN_WITHIN, Account, LastKnown, Link
from crm_sync.models.mapping import FieldMapping
from crm_sync.models.opt_outs import OptOut
from crm_sync.models.outcomes import Outcome, RejectingStatus
from crm_sync.models.pushes import Push
from crm_sync.models.reassignment import Reassignment
from crm_sync.models.reports import Report
from crm_sync.models.routing import Owner, RoutingRule, RulePlace
from crm_sync.models.unrecorded_task import UnrecordedTask

__all__ = [
    "SHOWN_WITHIN",
    "Account",
    "AppliedChange",
    "Arrival",
    "Breaker",
    "ComparisonRun",
    "Cursor",
    "Deal",
    "Drift",
    "FieldMapping",
    "Handoff",
    "HandoffTask",
    "Hint",
    "LastKnown",
    "Link",
    "OptOut",
    "Outcome",
    "Owner",
    "PullReport",
    "Push",
    "Reassignment",
    "RejectingStatus",
    "Report",
    "Round",
    "RoutingRule",
    "RulePlace",
    "Stage",
    "UnrecordedTask",
]

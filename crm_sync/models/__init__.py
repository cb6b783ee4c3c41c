from crm_sync.models.cursors import Change, Cursor, Round
from crm_sync.models.drifts import Drift
from crm_sync.models.hints import Arrival, Hint
from crm_sync.models.ledger import Handoff, Hold
from crm_sync.models.mapping import FieldMapping
from crm_sync.models.mirror import Account, Deal, Link, Owner, PullReport, Stage
from crm_sync.models.optouts import OptOut
from crm_sync.models.outcomes import Outcome, Refusal
from crm_sync.models.pushes import Push
from crm_sync.models.reports import Report
from crm_sync.models.routing import RoutingRule, RulePlace

__all__ = [
    "Account",
    "Arrival",
    "Change",
    "Cursor",
    "Deal",
    "Drift",
    "FieldMapping",
    "Handoff",
    "Hint",
    "Hold",
    "Link",
    "OptOut",
    "Outcome",
    "Owner",
    "PullReport",
    "Push",
    "Refusal",
    "Report",
    "Round",
    "RoutingRule",
    "RulePlace",
    "Stage",
]

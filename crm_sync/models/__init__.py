from crm_sync.models.cursors import Change, Cursor, Round
from crm_sync.models.ledger import Handoff, Hold
from crm_sync.models.mapping import FieldMapping
from crm_sync.models.mirror import Account, Deal, Link, Owner, PullReport, Stage
from crm_sync.models.reports import Report
from crm_sync.models.routing import RoutingRule, RulePlace

__all__ = [
    "Account",
    "Change",
    "Cursor",
    "Deal",
    "FieldMapping",
    "Handoff",
    "Hold",
    "Link",
    "Owner",
    "PullReport",
    "Report",
    "Round",
    "RoutingRule",
    "RulePlace",
    "Stage",
]

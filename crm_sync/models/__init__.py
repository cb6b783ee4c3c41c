from crm_sync.models.ledger import Handoff, Hold
from crm_sync.models.mapping import FieldMapping
from crm_sync.models.mirror import Account, Deal, Link, Owner, PullReport, Stage
from crm_sync.models.reports import Report
from crm_sync.models.routing import RoutingRule, RulePlace

__all__ = [
    "Account",
    "Deal",
    "FieldMapping",
    "Handoff",
    "Hold",
    "Link",
    "Owner",
    "PullReport",
    "Report",
    "RoutingRule",
    "RulePlace",
    "Stage",
]

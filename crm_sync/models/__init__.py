from crm_sync.models.ledger import Handoff
from crm_sync.models.mapping import FieldMapping
from crm_sync.models.mirror import Account, Deal, Link, Owner, PullReport, Stage

__all__ = [
    "Account",
    "Deal",
    "FieldMapping",
    "Handoff",
    "Link",
    "Owner",
    "PullReport",
    "Stage",
]

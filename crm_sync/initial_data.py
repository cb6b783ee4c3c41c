"""The initial data of every installation, created after migrations: field mapping and routing."""

from crm_sync.connect import adapter_entry
from crm_sync.models import FieldMapping, RejectingStatus, RoutingRule

FIRST_RULES = (
    (RoutingRule.Kind.CONTACT_OWNER, "The contact's owner"),
    (RoutingRule.Kind.TURN, "Whoever takes leads"),
)


def make_first_mappings(sender: object, **kwargs: object) -> None:
    """Create the default mapping on post_migrate. Skip a table with rows: people may have edited it."""
    if not FieldMapping.objects.exists():
        FieldMapping.objects.bulk_create(
            FieldMapping(**field._asdict()) for field in adapter_entry().MAPPING
        )


def make_first_rules(sender: object, **kwargs: object) -> None:
    """Create the first rules on post_migrate: the contact's owner, else the next in turn."""
    if not RoutingRule.objects.exists():
        for kind, name in FIRST_RULES:
            RoutingRule.objects.create(kind=kind, name=name)


def make_first_refusals(sender: object, **kwargs: object) -> None:
    """Create the rejecting statuses on post_migrate. Skip a list with rows, which people may have edited."""
    if not RejectingStatus.objects.exists():
        RejectingStatus.objects.bulk_create(
            RejectingStatus(status=status) for status in adapter_entry().REFUSING
        )

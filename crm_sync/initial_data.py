"""What every installation starts with, made after migrations: the mapping of fields, and routing."""

from crm_sync.connect import adapter_entry
from crm_sync.models import FieldMapping, RejectingStatus, RoutingRule

FIRST_RULES = (
    (RoutingRule.Kind.CONTACT_OWNER, "The contact's owner"),
    (RoutingRule.Kind.TURN, "Whoever takes leads"),
)


def make_first_mappings(sender: object, **kwargs: object) -> None:
    """Receiver of post_migrate. A table that somebody has edited is left alone."""
    if not FieldMapping.objects.exists():
        FieldMapping.objects.bulk_create(
            FieldMapping(**field._asdict()) for field in adapter_entry().MAPPING
        )


def make_first_rules(sender: object, **kwargs: object) -> None:
    """Receiver of post_migrate. Whose contact it is gets the lead, else whoever is in turn."""
    if not RoutingRule.objects.exists():
        for kind, name in FIRST_RULES:
            RoutingRule.objects.create(kind=kind, name=name)


def make_first_refusals(sender: object, **kwargs: object) -> None:
    """Receiver of post_migrate. A list that somebody has edited is left alone."""
    if not RejectingStatus.objects.exists():
        RejectingStatus.objects.bulk_create(
            RejectingStatus(status=status) for status in adapter_entry().REFUSING
        )

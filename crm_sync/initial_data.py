"""The initial data of every installation, created after migrations: field mapping and routing."""

from django.conf import settings

from crm_sync.connect import adapter_entry
from crm_sync.models import FieldMapping, RejectingStatus, RoutingRule

FIRST_RULES = (
    (RoutingRule.Kind.CONTACT_OWNER, "The contact's owner"),
    (RoutingRule.Kind.TURN, "Whoever takes leads"),
)


def make_first_mappings(sender: object, **kwargs: object) -> None:
    """Create the default mapping on post_migrate. Skip a table with rows: people may have edited it."""
    if not FieldMapping.objects.exists():
        FieldMapping.objects.bulk_create(first_mappings(settings.CRM))


def first_mappings(crm: str) -> list[FieldMapping]:
    return [FieldMapping(**field._asdict()) for field in adapter_entry(crm).MAPPING]


def own_mappings() -> list[FieldMapping]:
    """Return the rows that a person added or changed: no CRM's first mapping has them."""
    first = {content(row) for crm in settings.ADAPTERS for row in first_mappings(crm)}
    return [row for row in FieldMapping.objects.order_by("pk") if content(row) not in first]


def content(row: FieldMapping) -> tuple[object, ...]:
    return (row.source, row.property, row.direction, row.policy, row.format, row.value, row.enabled)


def replace_mapping() -> None:
    """Start with the first mapping of the present CRM, and the statuses by which sales rejects there."""
    FieldMapping.objects.all().delete()
    RejectingStatus.objects.all().delete()
    make_first_mappings(None)
    make_first_refusals(None)


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

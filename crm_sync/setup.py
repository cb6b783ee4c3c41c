"""What every installation starts with, made after migrations: the mapping of fields."""

from crm_sync.hubspot.defaults import MAPPING
from crm_sync.models import FieldMapping


def make_first_mappings(sender: object, **kwargs: object) -> None:
    """Receiver of post_migrate. A table that somebody has edited is left alone."""
    if not FieldMapping.objects.exists():
        FieldMapping.objects.bulk_create(FieldMapping(**field._asdict()) for field in MAPPING)

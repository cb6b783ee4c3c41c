"""How many activities of each type came, from whom."""

from typing import ClassVar

from django.db import models
from django.db.models import Index, UniqueConstraint


class TypeCount(models.Model):
    """How many activities of a type a source sent in a day of UTC, without those sent before."""

    source = models.CharField(max_length=100)
    type = models.CharField(max_length=100)
    day = models.DateField()
    times = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["source", "day", "type"], name="one_count_per_source_day_and_type"
            )
        ]
        indexes: ClassVar = [
            # Read by the list of types.
            Index(fields=["type"], name="type_count_by_type"),
            # Read by `prune_types`.
            Index(fields=["day"], name="type_count_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.times} {self.type} on {self.day}"

"""The progress of the current comparison with the CRM."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import CheckConstraint, Q

# A survey of the CRM older than this is outdated: the comparison starts over.
LONGEST = timedelta(days=1)


class ComparisonRun(models.Model):
    """One row while a comparison is between two turns. `document`: see crm_sync.reconcile.run."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    started_at = models.DateTimeField()
    document = models.JSONField()

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(condition=Q(id=1), name="one_comparison_at_a_time")
        ]

    def __str__(self) -> str:
        return f"comparison since {self.started_at:%Y-%m-%d %H:%M}"

    @classmethod
    def under_way(cls, at: datetime) -> Self | None:
        """Return the run that is neither finished nor too old."""
        return cls.objects.filter(started_at__gt=at - LONGEST, started_at__lte=at).first()

    @classmethod
    def keep(cls, started_at: datetime, document: dict[str, Any]) -> None:
        cls.objects.update_or_create(
            id=1, defaults={"started_at": started_at, "document": document}
        )

    @classmethod
    def forget(cls) -> None:
        cls.objects.all().delete()

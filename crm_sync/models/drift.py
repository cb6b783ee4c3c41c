"""How far our copy of the CRM differed from the CRM: one row for each sample that was compared."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, F, Q


class Drift(models.Model):
    """`oldest_seconds`: of the contacts that differed, the longest time since the last read: no
    difference is older. `fields`: how often each field differed."""

    at = models.DateTimeField(unique=True)
    looked = models.PositiveIntegerField()
    differed = models.PositiveIntegerField()
    oldest_seconds = models.FloatField(default=0)
    fields = models.JSONField(default=dict)
    everybody = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(differed__lte=F("looked")), name="no_more_differ_than_were_seen"
            )
        ]

    def __str__(self) -> str:
        return f"{self.differed} of {self.looked} differed"

    @property
    def share(self) -> float:
        """Return the percentage of the compared contacts that differed."""
        return 100 * self.differed / self.looked if self.looked else 0.0

"""What an installation knows of itself."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Q


class DatabaseIdentity(models.Model):
    """The database in which all this was written; one row.

    A dump carries the row, a restored database has another identity: so a restore is noticed.
    `value` is empty while somebody confirms a restore. See `leadscoring.operations.restore`.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    value = models.CharField(max_length=100, blank=True, default="", editable=False)

    class Meta:
        verbose_name = "identity of the database"
        constraints: ClassVar = [CheckConstraint(condition=Q(id=1), name="one_database_identity")]

    def __str__(self) -> str:
        return self.value

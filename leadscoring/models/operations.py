"""What an installation knows of itself."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Q


class DatabaseIdentity(models.Model):
    """The identity of the database in which all this was written; one row.

    A dump carries the row, and a restored database has another identity: that shows a restore.
    `value` is empty while a restore is being confirmed. See `leadscoring.operations.restore`.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    value = models.CharField(max_length=100, blank=True, default="", editable=False)

    class Meta:
        verbose_name = "identity of the database"
        constraints: ClassVar = [CheckConstraint(condition=Q(id=1), name="one_database_identity")]

    def __str__(self) -> str:
        return self.value

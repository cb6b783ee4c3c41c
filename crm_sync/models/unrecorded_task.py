"""Tasks in the CRM whose ledger row was lost when the database was restored."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, Index, OuterRef

from crm_sync.models.handoff import Handoff
from leadscoring.models import CRM_ID_LENGTH

# A replayed crossing belongs to the task that it had before. Later than this it is a new one: no
# model lets a lead cross twice within its cool-down, which is 30 days by default.
TOLD_AGAIN_WITHIN = timedelta(days=30)


class UnrecordedTaskQuerySet(models.QuerySet["UnrecordedTask"]):
    def to_adopt(self, record_ids: Collection[str], at: datetime) -> Self:
        """Return tasks on some records that no row has, the newest first."""
        adopted = Handoff.objects.filter(task_id=OuterRef("task_id"))
        found = self.filter(~Exists(adopted), record_id__in=record_ids)
        return found.filter(found_at__gt=at - TOLD_AGAIN_WITHIN).order_by("-task_id")


class UnrecordedTask(models.Model):
    """A task of ours that was made after the backup, by a crossing that is not in it.

    When the activities are replayed its contact crosses again, and the crossing's row gets this task.
    """

    task_id = models.CharField(max_length=CRM_ID_LENGTH, primary_key=True)
    reference = models.CharField(max_length=20, unique=True)
    record_id = models.CharField(max_length=CRM_ID_LENGTH)
    found_at = models.DateTimeField()

    objects = UnrecordedTaskQuerySet.as_manager()

    class Meta:
        # Read for each batch of handoffs.
        indexes: ClassVar = [Index(fields=["record_id"], name="unrecorded_task_by_record")]

    def __str__(self) -> str:
        return f"task {self.task_id}, {self.reference}"

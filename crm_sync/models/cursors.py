"""How far the reading of the CRM has come: changes in its order of time, people in the order of their ids."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint


class Cursor(models.Model):
    """How far the changes of one kind of record are applied.

    `position` is by the CRM's clock: what was changed before it is applied, as far as its search
    gives it. `at` is by ours, an instant at which the CRM's clock had come to `position`: so a
    search that finds nothing new moves the position on too, and the two clocks need not agree.
    """

    class Kind(models.TextChoices):
        CONTACTS = "contacts"
        DEALS = "deals"

    kind = models.CharField(max_length=10, choices=Kind.choices, primary_key=True)
    position = models.DateTimeField()
    at = models.DateTimeField()
    # Where the last search that came to its end began; what turns up between it and `position`
    # afterwards came late into the CRM's index.
    searched_from = models.DateTimeField()
    late_by = models.DurationField(default=timedelta(0))
    late_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} up to {self.position:%Y-%m-%d %H:%M:%S}"


class ChangeQuerySet(models.QuerySet["Change"]):
    def known(self, kind: str, record_ids: Iterable[str]) -> set[tuple[str, datetime]]:
        """(record, instant) of changes that are applied."""
        rows = self.filter(kind=kind, record_id__in=list(record_ids))
        return set(rows.values_list("record_id", "changed_at"))

    def note(self, kind: str, changes: Iterable[tuple[str, datetime]]) -> None:
        rows = [Change(kind=kind, record_id=one, changed_at=at) for one, at in changes]
        self.bulk_create(rows, ignore_conflicts=True)

    def forget(self, kind: str, before: datetime) -> None:
        """Drop those that no search gives any more."""
        self.filter(kind=kind, changed_at__lt=before).delete()


class Change(models.Model):
    """A change that is applied and lies where searches overlap: it is not applied again."""

    kind = models.CharField(max_length=10, choices=Cursor.Kind.choices)
    record_id = models.CharField(max_length=64)
    changed_at = models.DateTimeField()

    objects = ChangeQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["kind", "record_id", "changed_at"], name="a_change_is_applied_once"
            )
        ]
        indexes: ClassVar = [
            # Read by ChangeQuerySet.forget at each pull.
            Index(fields=["kind", "changed_at"], name="change_by_age")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id} at {self.changed_at:%Y-%m-%d %H:%M:%S}"


class Round(models.Model):
    """A sweep through people in the order of their ids, a part at a time, again and again.

    `position`: the last contact that was looked at in the round under way (`began_at`).
    `whole_since`: when the last round that came to its end began: nobody's look is older than that.
    """

    class Kind(models.TextChoices):
        RECORDS = "records"
        ASSOCIATIONS = "associations"

    kind = models.CharField(max_length=12, choices=Kind.choices, primary_key=True)
    began_at = models.DateTimeField(null=True)
    position = models.BigIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)
    looked_at = models.DateTimeField(null=True)  # the last part
    whole_since = models.DateTimeField(null=True)
    whole_until = models.DateTimeField(null=True)
    whole_people = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(whole_since=None, whole_until=None)
                | Q(whole_since__isnull=False, whole_until__isnull=False),
                name="a_whole_round_has_an_end",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.whole_people} people since {self.whole_since}"

"""What each sender has sent, and what of it could not be taken."""

from typing import ClassVar

from django.db import models
from django.db.models import Index, UniqueConstraint

from leadscoring.models.people import ApiKey


class Source(ApiKey):
    """A key as who speaks with it: what came and what of it was not taken."""

    class Meta:
        proxy = True
        verbose_name = "source"
        default_permissions = ("view",)


class SourceCount(models.Model):
    """How many items a key sent in the five minutes from `at` on. The row of 1970 has all older ones."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="counts")
    at = models.DateTimeField()
    came = models.PositiveBigIntegerField()
    not_taken = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            UniqueConstraint(fields=["api_key", "at"], name="one_count_per_key_and_time")
        ]
        indexes: ClassVar = [
            # Read by `prune_sources`.
            Index(fields=["at"], name="source_count_by_time")
        ]

    def __str__(self) -> str:
        return f"{self.came} from {self.at:%Y-%m-%d %H:%M} on"


class NotTaken(models.Model):
    """Items of a key that were not taken for one reason, with the last of them as an example.

    `message` and `example` have no values of a person.
    """

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="not_taken")
    kind = models.CharField(max_length=20)
    field = models.CharField(max_length=100)
    message = models.CharField(max_length=300)
    times = models.PositiveBigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    example = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            UniqueConstraint(
                fields=["api_key", "kind", "field", "message"], name="one_row_per_key_and_reason"
            )
        ]
        indexes: ClassVar = [
            # Read by `prune_sources`.
            Index(fields=["last_at"], name="not_taken_by_time")
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.field} {self.message}"

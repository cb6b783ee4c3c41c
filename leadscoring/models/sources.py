"""Who sends people and activities: what came of each, and what of it could not be taken."""

from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint


class Source(models.Model):
    """Who sends: a key, a form, a provider's webhook, a file. Activities carry its name as their source.

    `ended_at`: since when nothing more comes from it, as its key is revoked or its form deleted.
    """

    class Kind(models.TextChoices):
        KEY = "key", "API key"
        FORM = "form", "Form"
        HOOK = "hook", "Form service"
        IMPORT = "import", "File"

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [CheckConstraint(condition=~Q(name=""), name="a_source_has_a_name")]

    def __str__(self) -> str:
        return self.name


class SourceCount(models.Model):
    """How many items a source sent in the five minutes from `at` on. The row of 1970 has all older ones."""

    # `one_count_per_source_and_time` serves as the index of the key.
    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, related_name="counts", db_index=False
    )
    at = models.DateTimeField()
    came = models.PositiveBigIntegerField()
    not_taken = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            UniqueConstraint(fields=["source", "at"], name="one_count_per_source_and_time")
        ]
        indexes: ClassVar = [
            # Read by `prune_sources`.
            Index(fields=["at"], name="source_count_by_time")
        ]

    def __str__(self) -> str:
        return f"{self.came} from {self.at:%Y-%m-%d %H:%M} on"


class NotTaken(models.Model):
    """Items of a source that were not taken for one reason, with the last of them as an example.

    `message` and `example` have no values of a person.
    """

    # `one_row_per_source_and_reason` serves as the index of the key.
    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, related_name="not_taken", db_index=False
    )
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
                fields=["source", "kind", "field", "message"], name="one_row_per_source_and_reason"
            )
        ]
        indexes: ClassVar = [
            # Read by `prune_sources`.
            Index(fields=["last_at"], name="not_taken_by_time")
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.field} {self.message}"

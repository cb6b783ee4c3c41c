"""Files that people upload: the file, how far it is taken in, and what it changed, so that it can be undone."""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint

from leadscoring.models.people import Contact


class ImportQuerySet(models.QuerySet["Import"]):
    def under_way(self) -> Self:
        """Keep those that a worker has to go on with; the one that waited longest first."""
        return self.filter(state__in=Import.UNDER_WAY).order_by("turn_at", "pk")

    def move(self, pk: int, states: tuple[str, ...], to: str, at: datetime) -> bool:
        """Move an import on, for a worker to see; return False when it is in no such state any more."""
        moved = self.filter(pk=pk, state__in=states)
        return bool(moved.update(state=to, turn_at=at, tries=0, problem=""))

    def begin_turn(self, pk: int, at: datetime) -> None:
        """Count a try before the work, which may end the worker."""
        self.filter(pk=pk).update(tries=F("tries") + 1, turn_at=at)


class Import(models.Model):
    """A file that somebody uploaded, what they chose for it, and what became of its rows.

    `choices`: as of `intake.uploads.choices`. `titles`: a hash of its columns, by which the next file of
    the kind finds what was chosen. `done`: rows that are taken in; `tries`: turns without a row since.
    `counts`, `undone`: numbers by word. `forecast`: what checking it said.
    """

    class Kind(models.TextChoices):
        PEOPLE = "people", "People"
        ACTIVITIES = "activities", "Activities"
        NO_MAIL = "no_mail", "Addresses not to mail"

    class State(models.TextChoices):
        COLUMNS = "columns", "Choose the columns"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"

    UNDER_WAY = ("checking", "running", "undoing")

    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField("file", max_length=200)
    size = models.PositiveBigIntegerField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    by = models.CharField(max_length=200)
    state = models.CharField(max_length=20, choices=State.choices, default=State.COLUMNS)
    choices = models.JSONField(default=dict)
    titles = models.CharField(max_length=64, blank=True, default="")
    forecast = models.JSONField(default=dict)
    rows = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    undone = models.JSONField(default=dict)
    problem = models.CharField(max_length=500, blank=True, default="")
    tries = models.PositiveIntegerField(default=0)
    turn_at = models.DateTimeField()
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    # Since when neither the file nor what it changed is kept.
    pruned_at = models.DateTimeField(null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "view")
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(started_at__isnull=False)
                | Q(state__in=["columns", "checking", "checked"]),
                name="an_import_with_effects_has_begun",
            ),
            CheckConstraint(
                condition=Q(pruned_at=None) | ~Q(state__in=["checking", "running", "undoing"]),
                name="an_import_under_way_has_its_file",
            ),
        ]
        indexes: ClassVar = [
            # Read by the worker, again and again.
            Index(
                fields=["turn_at"],
                condition=Q(state__in=["checking", "running", "undoing"]),
                name="import_under_way",
            ),
            # Read when a file comes: what was chosen for the last one with its columns.
            Index(fields=["kind", "titles"], name="import_by_columns"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_under_way(self) -> bool:
        return self.state in self.UNDER_WAY


class ImportPart(models.Model):
    """A piece of an uploaded file: in the database, which web and workers share in every installation."""

    imported = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="parts")
    place = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            UniqueConstraint(fields=["imported", "place"], name="one_part_of_a_file_per_place")
        ]

    def __str__(self) -> str:
        return f"part {self.place}"


class RejectedRow(models.Model):
    """A row of a file that was not taken in, as it stands there, with the reason."""

    imported = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rejected_rows")
    line = models.PositiveBigIntegerField()
    cells = ArrayField(models.TextField())
    reason = models.TextField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"line {self.line}"


class ImportChange(models.Model):
    """What rows of a file did to one contact at an instant.

    `created`: they made it. `fields`, `properties`: name -> the values
    before and after; null is none. `identifiers`: source and value of those it got. `activities`: ids.
    """

    imported = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="changes")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="import_changes")
    at = models.DateTimeField()
    created = models.BooleanField()
    fields = models.JSONField(default=dict)
    properties = models.JSONField(default=dict)
    identifiers = models.JSONField(default=list)
    activities = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"contact {self.contact_id}"


class ImportWish(models.Model):
    """An address that a file put under *Do not mail*, as it stood there before (null: not) and afterwards."""

    imported = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="wishes")
    email = models.EmailField("e-mail", max_length=254)
    before = models.JSONField(null=True)
    after = models.JSONField()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            # Read whenever an address is suppressed, or a person erased.
            Index(fields=["email"], name="import_wish_by_address")
        ]

    def __str__(self) -> str:
        return f"wish {self.pk}"

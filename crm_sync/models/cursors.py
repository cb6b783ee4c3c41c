"""Cursors of the pull: changes in order of the CRM's time, contacts in order of their ids."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint

from leadscoring.models import CRM_ID_LENGTH

LONGEST_OVERLAP = timedelta(days=1)
# How long a late change widens the overlap.
LATE_KEPT = timedelta(hours=1)
# The most by which the CRM's clock may be ahead of ours.
AHEAD = timedelta(hours=1)
# The most that a position advances because time passed here while nothing changed there: our clock
# may have been set forward. Small against the overlap, so that a search still begins before now.
STEP = timedelta(minutes=1)


# The columns of the position, without what is learned about the index.
WHERE = ("position", "at", "searched_from", "resume_at", "begun_at")


class Cursor(models.Model):
    """Up to where the changes of one kind of record are applied.

    `position` is by the CRM's clock: changes before it are applied, as far as its search returns
    them. `at` is by our clock: an instant at which the CRM's clock had reached `position`. So a
    search that finds nothing new advances the position too, and the two clocks need not agree.
    """

    class Kind(models.TextChoices):
        CONTACTS = "contacts"
        DEALS = "deals"

    kind = models.CharField(max_length=10, choices=Kind.choices, primary_key=True)
    position = models.DateTimeField()
    at = models.DateTimeField()
    # Where the last complete search began. A change between it and `position` that is found
    # afterwards entered the CRM's index late.
    searched_from = models.DateTimeField()
    late_by = models.DurationField(default=timedelta(0))
    late_at = models.DateTimeField(null=True)
    # While a search has not reached its end: up to where its changes are applied, and when its first
    # turn began; both by the CRM's clock. After a search of several turns `resume_at` is where the
    # next one begins: further back than usual, since the index was behind for each of the turns.
    resume_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            CheckConstraint(
                condition=Q(begun_at=None) | Q(resume_at__isnull=False),
                name="an_unfinished_search_resumes_somewhere",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} up to {self.position:%Y-%m-%d %H:%M:%S}"

    def overlap(self, usual: timedelta, at: datetime) -> timedelta:
        """Return how far before `position` a search begins: `usual`, or twice the recent lateness."""
        return min(max(usual, 2 * self._recent_lateness(at)), LONGEST_OVERLAP)

    def lag(self, usual: timedelta, at: datetime) -> timedelta:
        """Return how long the index may take to show a change: `usual`, or as seen recently."""
        return max(usual, self._recent_lateness(at))

    def late(
        self, changes: Iterable[datetime], covered: tuple[datetime, datetime], at: datetime
    ) -> None:
        """Learn from changes that an earlier search, which covered from … to, should have returned."""
        begin, end = covered
        found = [end - changed_at for changed_at in changes if begin <= changed_at < end]
        if not found:
            return
        # Compared in the database: a pull and a refresh after a hint may learn at the same time.
        less = Q(late_at=None) | Q(late_at__lte=at - LATE_KEPT) | Q(late_by__lte=max(found))
        Cursor.objects.filter(less, pk=self.pk).update(late_by=max(found), late_at=at)

    def move(self, to: datetime, at: datetime) -> None:
        """Record that changes up to `to` are applied, and that the CRM's clock has reached it by `at`.

        Never far ahead of our own clock: one record with a wrong time must not hide earlier changes.
        """
        to = min(to, at + AHEAD)
        if to > self.position:
            self.position, self.at = to, at

    def search_from(self, overlap: timedelta) -> datetime:
        """Return where the next search begins."""
        return self.resume_at or self.position - overlap

    def crm_time(self, at: datetime) -> datetime:
        """Return an instant of our clock by the CRM's, as far as is known."""
        return self.position + max(at - self.at, timedelta(0))

    def applied_up_to(self, to: datetime, begun_at: datetime, at: datetime) -> None:
        """Record how far an unfinished search has come: the next turn goes on there."""
        self.move(to, at)
        self.resume_at, self.begun_at = min(to, at + AHEAD), begun_at

    def complete(
        self,
        since: datetime,
        began: datetime,
        several_turns_since: datetime | None,
        overlap: timedelta,
    ) -> None:
        """Record that a search from `since`, begun at `began` by our clock, is complete.

        `several_turns_since`: when its first turn began, by the CRM's clock, if it took several.
        """
        if began > self.at:
            self.move(self.position + min(began - self.at, STEP), began)
            self.at = began
        self.searched_from, self.begun_at = since, None
        first = several_turns_since
        self.resume_at = min(self.position, first) - overlap if first else None
        self.save(update_fields=WHERE)

    def _recent_lateness(self, at: datetime) -> timedelta:
        lately = self.late_at is not None and at - self.late_at < LATE_KEPT
        return self.late_by if lately else timedelta(0)


class ChangeQuerySet(models.QuerySet["AppliedChange"]):
    def known(self, kind: str, record_ids: Iterable[str]) -> set[tuple[str, datetime]]:
        """Return (record, instant) of changes that are applied."""
        rows = self.filter(kind=kind, record_id__in=list(record_ids))
        return set(rows.values_list("record_id", "changed_at"))

    def note(self, kind: str, changes: Iterable[tuple[str, datetime]]) -> None:
        rows = [AppliedChange(kind=kind, record_id=one, changed_at=at) for one, at in changes]
        self.bulk_create(rows, ignore_conflicts=True)

    def forget(self, kind: str, before: datetime) -> None:
        """Delete those that no search returns any more."""
        self.filter(kind=kind, changed_at__lt=before).delete()


class AppliedChange(models.Model):
    """An applied change in the overlap of two searches: it is not applied again."""

    kind = models.CharField(max_length=10, choices=Cursor.Kind.choices)
    record_id = models.CharField(max_length=CRM_ID_LENGTH)
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
    """A repeated sweep through contacts in order of their ids, a part at a time.

    `position`: the last contact that was read in the current round (`began_at`).
    `whole_since`: when the last complete round began. No contact's last read is older than that.
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

    @classmethod
    def of(cls, kind: "Round.Kind") -> "Round":
        return cls.objects.get_or_create(pk=kind)[0]

    def begin(self, at: datetime) -> None:
        """Start a round; one that is unfinished is abandoned."""
        self.began_at, self.position, self.people = at, 0, 0

    def passed(self, last: int, number: int, at: datetime) -> None:
        """Record `number` people as read, up to this id. Call it after the read, so that none is skipped."""
        self.position, self.people, self.looked_at = last, self.people + number, at
        self.save()

    def end(self, at: datetime) -> None:
        """Record that everybody was read since the round began."""
        self.whole_since, self.whole_until, self.whole_people = self.began_at, at, self.people
        self.began_at = None
        self.save()

    def minutes_waited(self, at: datetime) -> float:
        """Return the minutes since the last part; one when there was none."""
        return (at - self.looked_at) / timedelta(minutes=1) if self.looked_at else 1.0


class PullReport(models.Model):
    """The result of the last pull: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(auto_now=True, null=True)
    contacts = models.PositiveIntegerField(default=0)
    deals = models.PositiveIntegerField(default=0)
    # When the pipelines, stages and reps were last read.
    definitions_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=1000, blank=True, default="")

    class Meta:
        constraints: ClassVar = [CheckConstraint(condition=Q(id=1), name="one_pull_report")]

    def __str__(self) -> str:
        return self.error or "good"

"""Records of the CRM that a webhook asks us to refresh soon, and whether webhooks arrive."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import ClassVar, Self
from uuid import UUID, uuid4

from django.db import models, transaction
from django.db.models import CheckConstraint, F, Index, Q, QuerySet, UniqueConstraint

from leadscoring.common import bulk_sql
from leadscoring.models import CRM_ID_LENGTH

BATCH = 100
# Well above the slowest batch at the CRM's rate limit. When the worker dies, its hints fall due again.
LEASE = timedelta(minutes=4)
# A hint that kills its worker three times gets no fourth try: the pull finds the change.
MOST_TRIES = 3
# Older hints are covered by the pull, or no CRM is connected.
KEPT = timedelta(days=1)


NOTE = """
    INSERT INTO crm_sync_hint AS hint
        (kind, record_id, heard_at, due_at, tries, version, erased, merged_into)
    SELECT kind, record_id, at, at, 0, version, erased, merged_into
    FROM jsonb_to_recordset(%s) AS new (
        kind text, record_id text, at timestamptz, version uuid, erased boolean, merged_into text
    )
    ON CONFLICT (kind, record_id)
    DO UPDATE SET version = EXCLUDED.version, erased = hint.erased OR EXCLUDED.erased,
        merged_into = COALESCE(NULLIF(EXCLUDED.merged_into, ''), hint.merged_into)
"""


class HintQuerySet(QuerySet["Hint"]):
    def note(
        self,
        records: Iterable[tuple[str, str]],
        at: datetime,
        erased: Collection[tuple[str, str]] = (),
        merged_into: Mapping[tuple[str, str], str] = MappingProxyType({}),
    ) -> None:
        """Store (kind, record id) pairs to refresh, each once, in one statement.

        A waiting one keeps its place; its new `version` makes the worker that has claimed it
        leave it there. `erased`: those reported as erased; `merged_into`: the record that each
        became, where that is reported. Earlier reports stay.
        """
        # Sorted as in `in_order`.
        rows = [
            {
                "kind": kind,
                "record_id": record_id,
                "at": at.isoformat(),
                "version": str(new_version()),
                "erased": (kind, record_id) in erased,
                "merged_into": merged_into.get((kind, record_id), ""),
            }
            for kind, record_id in sorted(set(records))
        ]
        bulk_sql.run_statement(NOTE, [bulk_sql.rows_as_json(rows)])

    def due(self, at: datetime) -> Self:
        return self.filter(due_at__lte=at, tries__lt=MOST_TRIES)

    def claim(self, heard_by: datetime, at: datetime, limit: int = BATCH) -> list["Hint"]:
        """Lease the oldest hints that were due at `heard_by` to the caller."""
        with transaction.atomic():
            rows = self.due(heard_by).select_for_update(skip_locked=True)
            hints = list(rows.order_by("heard_at", "pk")[:limit])
            claimed = self.filter(pk__in=[hint.pk for hint in hints])
            claimed.update(due_at=at + LEASE, tries=F("tries") + 1)
        return hints

    def settle(self, hints: Iterable["Hint"], at: datetime) -> None:
        """Delete hints that were applied. One that was reported again meanwhile is due at once."""
        marks = {hint.pk: hint.version for hint in hints}
        with transaction.atomic():
            rows = self.filter(pk__in=marks).in_order()
            done = [row.pk for row in rows if row.version == marks[row.pk]]
            self.filter(pk__in=done).delete()
            self.filter(pk__in=marks.keys() - set(done)).update(due_at=at, tries=0)

    def put_back(self, hints: Iterable["Hint"], at: datetime) -> None:
        """Make due again hints that were not applied, for a reason that is not theirs."""
        with transaction.atomic():
            rows = self.filter(pk__in=[hint.pk for hint in hints]).in_order()
            self.filter(pk__in=[row.pk for row in rows]).update(due_at=at, tries=0)

    def forget(self, at: datetime) -> None:
        """Delete what the pull has found by now, and hints that kill every worker."""
        worn_out = Q(tries__gte=MOST_TRIES, due_at__lte=at)
        with transaction.atomic():
            rows = self.filter(Q(heard_at__lt=at - KEPT) | worn_out).in_order()
            self.filter(pk__in=[row.pk for row in rows]).delete()

    def in_order(self) -> Self:
        """Lock rows in the one order that all use, so that no two deadlock."""
        return self.select_for_update().order_by("kind", "record_id")


def new_version() -> UUID:
    return uuid4()


class Hint(models.Model):
    """Refresh this record soon. Never a source of truth, and never necessary: the pull finds all."""

    class Kind(models.TextChoices):
        CONTACT = "contact"
        DEAL = "deal"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    record_id = models.CharField(max_length=CRM_ID_LENGTH)
    # The first report since the record was last refreshed.
    heard_at = models.DateTimeField()
    # A lease is only a later `due_at`.
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    # It was reported that the person was erased there.
    erased = models.BooleanField(default=False)
    # The record that it was merged into, where only the webhook says so.
    merged_into = models.CharField(max_length=CRM_ID_LENGTH, blank=True, default="")
    # Replaced each time that the record is reported.
    version = models.UUIDField(default=new_version)

    objects = HintQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            UniqueConstraint(fields=["kind", "record_id"], name="one_hint_per_record"),
            CheckConstraint(condition=~Q(record_id=""), name="a_hint_has_a_record"),
        ]
        indexes: ClassVar = [
            # Read by HintQuerySet.claim, at each wake-up and every few seconds.
            Index(fields=["due_at"], name="hint_by_due_at")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id}"


class Arrival(models.Model):
    """Whether the CRM's webhooks arrive: one row. `rejected_reason`: of the last invalid one."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    heard_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    rejected_reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints: ClassVar = [CheckConstraint(condition=Q(id=1), name="one_row_of_arrivals")]

    def __str__(self) -> str:
        return f"last heard {self.heard_at}" if self.heard_at else "never heard"

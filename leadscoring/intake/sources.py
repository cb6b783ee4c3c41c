"""What each source sent and what of it was not taken, for people to see: counts, reasons, and a masked example."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from leadscoring.common.bulk_sql import rows_as_json, run_statement
from leadscoring.common.text import bounded_line
from leadscoring.intake.activities import OWN_SOURCES
from leadscoring.intake.activity_types import rename_sender
from leadscoring.intake.rejections import Rejection
from leadscoring.models import NotTaken, Source

KEPT = timedelta(days=30)
MINUTES = 5
ALL_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)  # the row that older counts are added to
MOST_REASONS, MOST_AT_ONCE = 200, 50  # of one source, and of one request: a sender may make them up

ADDED = """ON CONFLICT (source_id, at) DO UPDATE SET came = known.came + EXCLUDED.came,
        not_taken = known.not_taken + EXCLUDED.not_taken,
        last_at = greatest(known.last_at, EXCLUDED.last_at)"""
COUNT = f"""
    INSERT INTO leadscoring_sourcecount AS known (source_id, at, came, not_taken, last_at)
    SELECT id, %s, %s, %s, %s FROM leadscoring_source WHERE name = %s
    {ADDED}
    RETURNING source_id
"""  # noqa: S608 -- made of the constant above
REASONS = """
    INSERT INTO leadscoring_nottaken AS known
        (source_id, kind, field, message, times, first_at, last_at, example)
    SELECT source_id, kind, field, message, times, first_at, last_at, example
    FROM jsonb_populate_recordset(NULL::leadscoring_nottaken, %s) AS new
    WHERE (SELECT count(*) FROM leadscoring_nottaken WHERE source_id = new.source_id) < %s
        OR EXISTS (
            SELECT FROM leadscoring_nottaken AS old WHERE old.source_id = new.source_id
            AND (old.kind, old.field, old.message) = (new.kind, new.field, new.message)
        )
    ORDER BY kind COLLATE "C", field COLLATE "C", message COLLATE "C"
    ON CONFLICT (source_id, kind, field, message) DO UPDATE SET
        times = known.times + EXCLUDED.times, last_at = EXCLUDED.last_at, example = EXCLUDED.example
"""
FOLD = f"""
    WITH old AS (
        DELETE FROM leadscoring_sourcecount WHERE at < %(before)s AND at > %(all)s
        RETURNING source_id, came, not_taken, last_at
    )
    INSERT INTO leadscoring_sourcecount AS known (source_id, at, came, not_taken, last_at)
    SELECT source_id, %(all)s, sum(came), sum(not_taken), max(last_at) FROM old GROUP BY source_id
    {ADDED}
"""  # noqa: S608 -- made of the constant above


# --- sources ---------------------------------------------------------------------------------------
def check_free(name: str, kind: Source.Kind) -> None:
    """Raise ValueError with a sentence for a name that is not free for such a source."""
    if name in OWN_SOURCES:
        raise ValueError(f"The name {name!r} is this program's own; choose another.")
    other = Source.objects.filter(name=name, ended_at=None).exclude(kind=kind).first()
    if other:
        raise ValueError(
            f"{other.get_kind_display()} {name!r} has this name already; choose another."
        )


def open_source(name: str, kind: Source.Kind, at: datetime) -> None:
    """Make a source, or let one that had ended go on."""
    made = {"kind": kind, "created_at": at}
    source, is_new = Source.objects.get_or_create(name=name, defaults=made)
    if not is_new and source.ended_at:
        Source.objects.filter(pk=source.pk).update(kind=kind, ended_at=None)


def rename_source(name: str, new: str) -> None:
    """Let what a source sent stay its own under a new name, unless there is one of that name."""
    if not Source.objects.filter(name=new).exists():
        Source.objects.filter(name=name).update(name=new)
        rename_sender(name, new)


def end_sources(names: Iterable[str], at: datetime) -> None:
    Source.objects.filter(name__in=names, ended_at=None).update(ended_at=at)


# --- masking: names of fields stay, what they say of a person does not -----------------------------
PLAIN = {"type", "event", "timestamp", "originalTimestamp", "sentAt", "occurred_at", "channel"}
EMAIL = re.compile(r"[^\s@<>(),;:]+@[^\s@<>(),;:]+")
NAMED = re.compile(r"(contact \d+) \([^)]*\)")  # a contact with its identifiers
MOST_FIELDS, DEEPEST, LONGEST = 20, 4, 60


@dataclass(slots=True)
class _Reason:
    times: int
    example: object


def record_sent(
    source: str,
    kind: str,
    sent: Sequence[object],
    rejected: Sequence[Rejection],
    at: datetime,
    of: Source.Kind = Source.Kind.KEY,
    came: int | None = None,
) -> None:
    """Count what a source sent, and keep why some of it was not taken.

    `kind`: of the items, "" where they say it. `of`: what the source is, if it never sent before.
    `came`: how many of them were not counted before, if not all.
    """
    if not sent:
        return
    slot = at.replace(minute=at.minute - at.minute % MINUTES, second=0, microsecond=0)
    sent_in_all = len(sent) if came is None else came
    count = [slot, sent_in_all, len({one.index for one in rejected}), at, source]
    counted = run_statement(COUNT, count)
    if not counted:
        open_source(source, of, at)
        counted = run_statement(COUNT, count)
    reasons: dict[tuple[str, str, str], _Reason] = {}
    for one in rejected:
        item = sent[one.index]
        named = (kind or _kind(item), mask_text(one.field, 100), mask_text(one.message, 300))
        reasons.setdefault(named, _Reason(0, item)).times += 1
    rows: list[dict[str, Any]] = [
        {
            "source_id": counted[0][0], "kind": kind_, "field": field, "message": message,
            "times": reason.times, "first_at": at, "last_at": at, "example": _example(reason.example),
        }
        for (kind_, field, message), reason in [*reasons.items()][:MOST_AT_ONCE]
    ]  # fmt: skip
    if rows:
        run_statement(REASONS, [rows_as_json(rows), MOST_REASONS])


def record_refusal(source: str, message: str, at: datetime) -> None:
    """Count a request that was refused whole, so that nobody knows what it held."""
    record_sent(source, "request", [{}], [Rejection(0, "", message)], at)


def _kind(item: object) -> str:
    kind = item.get("type") if isinstance(item, Mapping) else ""
    return bounded_line(kind, 20) if isinstance(kind, str) else ""


def _example(item: object) -> Any:
    return mask(item) if isinstance(item, Mapping) else {"item": mask(item)}


def mask_text(text: str, longest: int) -> str:
    """Return a sentence of ours without what it repeats of a person."""
    return bounded_line(EMAIL.sub("…@…", NAMED.sub(r"\1", text)), longest)


def mask(value: object, name: str = "", level: int = 0) -> Any:
    """Return what a sender sent with its values masked: the first sign of a text, no number."""
    if isinstance(value, Mapping):
        if level == DEEPEST:
            return "…"
        return {
            mask_text(str(key), LONGEST): mask(value[key], str(key), level + 1)
            for key in [*value][:MOST_FIELDS]
        }
    if isinstance(value, (list, tuple)):
        return "…" if level == DEEPEST else [mask(one, name, level + 1) for one in value[:3]]
    if value is None or isinstance(value, bool):
        return value
    if name in PLAIN and isinstance(value, str):
        return mask_text(value, LONGEST)
    return f"{bounded_line(value, 5)[:1]}…" if isinstance(value, str) and value else "…"


def prune_sources(at: datetime) -> None:
    """Forget reasons after 30 days without a new case; of older counts keep the sums."""
    run_statement(FOLD, {"before": at - KEPT, "all": ALL_BEFORE})
    NotTaken.objects.filter(last_at__lt=at - KEPT).delete()

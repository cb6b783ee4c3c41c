"""What each key sent and what of it was not taken, for people to see: counts, reasons, and a masked example."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from leadscoring.common.bulk_sql import rows_as_json, run_statement
from leadscoring.common.text import bounded_line
from leadscoring.intake.rejections import Rejection
from leadscoring.models import ApiKey, NotTaken

KEPT = timedelta(days=30)
MINUTES = 5
ALL_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)  # the row that older counts are added to
MOST_REASONS, MOST_AT_ONCE = 200, 50  # of one key, and of one request: a sender may make them up

ADDED = """ON CONFLICT (api_key_id, at) DO UPDATE SET came = known.came + EXCLUDED.came,
        not_taken = known.not_taken + EXCLUDED.not_taken,
        last_at = greatest(known.last_at, EXCLUDED.last_at)"""
COUNT = f"""
    INSERT INTO leadscoring_sourcecount AS known (api_key_id, at, came, not_taken, last_at)
    VALUES (%s, %s, %s, %s, %s)
    {ADDED}
"""  # noqa: S608 -- made of the constant above
REASONS = """
    INSERT INTO leadscoring_nottaken AS known
        (api_key_id, kind, field, message, times, first_at, last_at, example)
    SELECT api_key_id, kind, field, message, times, first_at, last_at, example
    FROM jsonb_populate_recordset(NULL::leadscoring_nottaken, %s) AS new
    WHERE (SELECT count(*) FROM leadscoring_nottaken WHERE api_key_id = new.api_key_id) < %s
        OR EXISTS (
            SELECT FROM leadscoring_nottaken AS old WHERE old.api_key_id = new.api_key_id
            AND (old.kind, old.field, old.message) = (new.kind, new.field, new.message)
        )
    ORDER BY kind COLLATE "C", field COLLATE "C", message COLLATE "C"
    ON CONFLICT (api_key_id, kind, field, message) DO UPDATE SET
        times = known.times + EXCLUDED.times, last_at = EXCLUDED.last_at, example = EXCLUDED.example
"""
FOLD = f"""
    WITH old AS (
        DELETE FROM leadscoring_sourcecount WHERE at < %(before)s AND at > %(all)s
        RETURNING api_key_id, came, not_taken, last_at
    )
    INSERT INTO leadscoring_sourcecount AS known (api_key_id, at, came, not_taken, last_at)
    SELECT api_key_id, %(all)s, sum(came), sum(not_taken), max(last_at) FROM old GROUP BY api_key_id
    {ADDED}
"""  # noqa: S608 -- made of the constant above

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
    key: ApiKey, kind: str, sent: Sequence[object], rejected: Sequence[Rejection], at: datetime
) -> None:
    """Count what a key sent, and keep why some of it was not taken. `kind`: "" where items say it."""
    if not sent:
        return
    slot = at.replace(minute=at.minute - at.minute % MINUTES, second=0, microsecond=0)
    run_statement(COUNT, [key.pk, slot, len(sent), len(rejected), at])
    reasons: dict[tuple[str, str, str], _Reason] = {}
    for one in rejected:
        item = sent[one.index]
        named = (kind or _kind(item), mask_text(one.field, 100), mask_text(one.message, 300))
        reasons.setdefault(named, _Reason(0, item)).times += 1
    rows: list[dict[str, Any]] = [
        {
            "api_key_id": key.pk, "kind": kind_, "field": field, "message": message,
            "times": reason.times, "first_at": at, "last_at": at, "example": _example(reason.example),
        }
        for (kind_, field, message), reason in [*reasons.items()][:MOST_AT_ONCE]
    ]  # fmt: skip
    if rows:
        run_statement(REASONS, [rows_as_json(rows), MOST_REASONS])


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

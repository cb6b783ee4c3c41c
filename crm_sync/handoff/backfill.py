"""Crossings that have no row in the ledger: find them, and replay them through the live signal."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from crm_sync.models import Handoff
from leadscoring.common.batching import batched
from leadscoring.engine import compute_score
from leadscoring.models import Contact, Score
from leadscoring.scoring import group_by_model, load_histories
from leadscoring.signals import Crossing, threshold_crossed

CHUNK = 500


def scores_without_handoff() -> QuerySet[Score]:
    """Return the scores whose last crossing is not in the ledger."""
    told = Handoff.objects.filter(contact=OuterRef("contact"), cycle=OuterRef("cycle"))
    return Score.objects.filter(~Exists(told), cycle__gt=0).order_by("contact")


def replay_missing(contact_ids: Sequence[int]) -> Iterator[list[int]]:
    """Write the missing rows, one transaction per chunk; yield the ids of contacts that got one."""
    for some in batched(contact_ids, CHUNK):
        yield replay_chunk(some)


def replay_chunk(contact_ids: Collection[int]) -> list[int]:
    with transaction.atomic():
        # Scoring takes the same locks, so no other process is about to write these rows.
        locked = Contact.objects.filter(pk__in=contact_ids).order_by("pk").select_for_update()
        ids = list(locked.values_list("pk", flat=True))
        crossings = list(recompute_crossings(scores_without_handoff().filter(contact__in=ids)))
        if crossings:
            threshold_crossed.send(Score, crossings=crossings)
    return [crossing.contact_id for crossing in crossings]


def recompute_crossings(scores: QuerySet[Score]) -> Iterator[Crossing]:
    """Yield the crossings as the engine saw them then: history is computed."""
    rows = {row.contact_id: row for row in scores}
    instants = {pk: row.crossed_at for pk, row in rows.items() if row.crossed_at}
    for version, some in group_by_model(instants):
        known = load_histories(some, version.model)
        for pk, at in some.items():
            then = compute_score(known[pk].profile, known[pk].log, version.model, at)
            reasons: list[dict[str, Any]] = [each.as_dict() for each in then.contributions]
            yield Crossing(pk, rows[pk].cycle, at, then.total, then.grade, reasons)

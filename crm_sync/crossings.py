"""Crossings that have no row in the ledger: found, and told of anew in the way they are told live."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from crm_sync.models import Handoff
from leadscoring.engine import score
from leadscoring.models import Contact, ModelVersion, Score
from leadscoring.scoring import facts
from leadscoring.signals import Crossing, threshold_crossed

CHUNK = 500


def without_row() -> QuerySet[Score]:
    """Scores whose last crossing is not in the ledger."""
    told = Handoff.objects.filter(contact=OuterRef("contact"), cycle=OuterRef("cycle"))
    return Score.objects.filter(~Exists(told), cycle__gt=0).order_by("contact")


def tell_again(contact_ids: Sequence[int]) -> Iterator[list[int]]:
    """Write the rows that are missing, a transaction for each chunk; yields whose were written."""
    for start in range(0, len(contact_ids), CHUNK):
        yield told_again(contact_ids[start : start + CHUNK])


def told_again(contact_ids: Collection[int]) -> list[int]:
    with transaction.atomic():
        # Whoever scores these people holds the same locks: nobody else is about to write the rows.
        locked = Contact.objects.filter(pk__in=contact_ids).order_by("pk").select_for_update()
        ids = list(locked.values_list("pk", flat=True))
        crossings = list(as_they_were(without_row().filter(contact__in=ids)))
        if crossings:
            threshold_crossed.send(Score, crossings=crossings)
    return [crossing.contact_id for crossing in crossings]


def as_they_were(scores: QuerySet[Score]) -> Iterator[Crossing]:
    """The crossings as the engine saw them then: history is computed."""
    rows = {row.contact_id: row for row in scores}
    instants = {pk: row.crossed_at for pk, row in rows.items() if row.crossed_at}
    for version, ids in by_version(instants).items():
        known = facts({pk: instants[pk] for pk in ids}, version.model)
        for pk in ids:
            then = score(known[pk].profile, known[pk].log, version.model, instants[pk])
            reasons: list[dict[str, Any]] = [each.as_dict() for each in then.contributions]
            yield Crossing(pk, rows[pk].cycle, instants[pk], then.total, then.grade, reasons)


def by_version(instants: Mapping[int, datetime]) -> dict[ModelVersion, list[int]]:
    """Contacts by the model that was in force at each one's instant. One query."""
    published = list(ModelVersion.objects.published().order_by("published_at", "pk"))
    found: dict[ModelVersion, list[int]] = {}
    for pk, at in instants.items():
        earlier = [each for each in published if each.published_at and each.published_at <= at]
        found.setdefault(earlier[-1] if earlier else published[0], []).append(pk)
    return found

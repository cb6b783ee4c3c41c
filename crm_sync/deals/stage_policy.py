"""The effect of a contact's deals on our mail to it: the strictest effect wins, and names its deal."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from crm_sync.models import Deal, Stage
from leadscoring import crm_state
from leadscoring.common.batching import batched
from leadscoring.models import CrmState, Effect

STRICTNESS = (Effect.NONE, Effect.PAUSE, Effect.STOP)
# The probability of winning, 0 to 1, from which an open deal is a negotiation.
NEGOTIATION = 0.6
BATCH = 1000

Stages = Mapping[tuple[str, str], Stage]


@dataclass(frozen=True, slots=True)
class DealEffect:
    """An effect, a sentence with its reason ("" for none), and the deals that were considered."""

    effect: Effect = Effect.NONE
    reason: str = ""
    deals: tuple[dict[str, str], ...] = ()


def first_effect(*, closed: bool, probability: float | None) -> Effect:
    """Return the effect of a stage when its pipeline is first seen. `probability`: 0 to 1."""
    if closed:
        return Effect.STOP
    return Effect.PAUSE if (probability or 0.0) >= NEGOTIATION else Effect.NONE


def effect_of(stage: Stage | None) -> Effect:
    """Return a stage's effect. An unknown or unset stage pauses mail: unknown is not none."""
    return Effect(stage.effect) if stage and stage.effect else Effect.PAUSE


def effect_reason(deal: Deal, stage: Stage | None) -> str:
    """Return why a deal in this stage pauses or stops mail."""
    name = f"Deal “{deal}”"
    if stage is None:
        return f"{name} is in a stage that is not known here yet"
    if not stage.effect:
        return f"{name} is in {stage.label} ({stage.pipeline}), and nobody has set yet what this stage does"
    if stage.closed:
        return f"{name} was {'won' if stage.won else 'lost'} ({stage.pipeline})"
    return f"{name} is in {stage.label} ({stage.pipeline})"


def decide_effect(deals: Iterable[Deal], stages: Stages) -> DealEffect:
    """Return the strictest effect of some deals; among equally strict ones open deals come first."""
    found = [(deal, stages.get((deal.pipeline_id, deal.stage_id))) for deal in deals]
    if not found:
        return DealEffect()
    found.sort(
        key=lambda pair: (-STRICTNESS.index(effect_of(pair[1])), pair[0].closed, pair[0].deal_id)
    )
    deal, stage = found[0]
    effect = effect_of(stage)
    reason = "" if effect == Effect.NONE else effect_reason(deal, stage)[:500]
    return DealEffect(effect, reason, tuple(deal_summary(*pair) for pair in found))


def deal_summary(deal: Deal, stage: Stage | None) -> dict[str, str]:
    """Return a deal as the contact's JSON and page show it."""
    return {
        "id": deal.deal_id,
        "name": deal.name,
        "pipeline": stage.pipeline if stage else deal.pipeline_id,
        "stage": stage.label if stage else deal.stage_id,
        "effect": effect_of(stage).value,
    }


def stages_by_id() -> dict[tuple[str, str], Stage]:
    return {(stage.pipeline_id, stage.stage_id): stage for stage in Stage.objects.all()}


def lock_stages() -> dict[tuple[str, str], Stage]:
    """Return all stages, locked against changes until this transaction ends."""
    rows = Stage.objects.raw("SELECT * FROM crm_sync_stage ORDER BY id FOR SHARE")
    return {(stage.pipeline_id, stage.stage_id): stage for stage in rows}


def deals_by_contact(contact_ids: Collection[int], **having: Any) -> dict[int, list[Deal]]:
    """Return the mirrored deals of contacts, in two queries."""
    pairs = Deal.contacts.through.objects.filter(contact_id__in=contact_ids)
    rows = list(pairs.values_list("contact_id", "deal_id"))
    deals = Deal.objects.filter(**having).in_bulk({deal_id for _, deal_id in rows})
    found: dict[int, list[Deal]] = {contact_id: [] for contact_id in contact_ids}
    for contact_id, deal_id in rows:
        if deal_id in deals:
            found[contact_id].append(deals[deal_id])
    return found


def set_effect(stage: Stage, effect: Effect, by: str, at: datetime) -> int:
    """Set the effect of one stage; see `set_effects`."""
    changed = set_effects({stage.pk: effect}, by, at)
    stage.refresh_from_db()
    return changed


def set_effects(wanted: Mapping[int, Effect], by: str, at: datetime) -> int:
    """Set the effects of stages by primary key; their contacts' mails pause, stop or resume at once,
    without a request to the CRM. Return the number of contacts whose state changed.

    `by`: the person who sets it. That person has seen the stage's name, so it no longer counts as
    renamed.
    """
    with transaction.atomic():
        stages = list(Stage.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
        for stage in stages:
            stage.effect, stage.set_by, stage.set_at = wanted[stage.pk], by[:200], at
            stage.former_label = ""
        Stage.objects.bulk_update(stages, ["effect", "set_by", "set_at", "former_label"])
        told = CrmState.objects.filter(contact__in=contacts_in(wanted)).order_by("contact_id")
        ids = list(told.values_list("contact_id", flat=True))
        return sum(recompute_states(some, at) for some in batched(ids, BATCH))


def contacts_in(stage_ids: Collection[int]) -> Any:
    """Return the ids of contacts with a deal in one of the stages, as a subquery."""
    stages = Stage.objects.filter(
        pk__in=stage_ids, pipeline_id=OuterRef("pipeline_id"), stage_id=OuterRef("stage_id")
    )
    inside = Deal.objects.filter(Exists(stages))
    return Deal.contacts.through.objects.filter(deal__in=inside).values("contact_id")


def recompute_states(contact_ids: Collection[int], at: datetime) -> int:
    """Recompute the CRM state of contacts from the mirror; the time of the last read stays as it was.

    Return the number of states that changed.
    """
    states = CrmState.objects.select_for_update().order_by("contact_id").filter(pk__in=contact_ids)
    fresh = list(
        states
    )  # lock first, so that the deals are read after what a pull has just written
    deals, stages = deals_by_contact(contact_ids), stages_by_id()
    for state in fresh:
        found = decide_effect(deals[state.contact_id], stages)
        state.effect, state.reason, state.deals = found.effect, found.reason, list(found.deals)
        state.since = at
    return len(crm_state.store_states(fresh, at))

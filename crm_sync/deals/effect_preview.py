"""The preview of setting stages' effects: the number of people affected, before it is done."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from crm_sync.deals.stage_policy import decide_effect, stages_by_id
from crm_sync.models import Deal
from leadscoring.common.bulk_sql import run_statement
from leadscoring.models import Effect

# An effect depends only on the stages of a contact's deals, so contacts whose deals are in the same
# stages are decided together: one query, and one decision per such group.
GROUPS = """
    SELECT effect, places, count(*) FROM (
        SELECT state.effect,
            jsonb_agg(DISTINCT jsonb_build_array(deal.pipeline_id, deal.stage_id)) AS places
        FROM leadscoring_crmstate AS state
        JOIN crm_sync_deal_contacts AS tie ON tie.contact_id = state.contact_id
        JOIN crm_sync_deal AS deal ON deal.id = tie.deal_id
        WHERE state.contact_id IN (
            SELECT inside.contact_id FROM crm_sync_stage AS stage
            JOIN crm_sync_deal AS there USING (pipeline_id, stage_id)
            JOIN crm_sync_deal_contacts AS inside ON inside.deal_id = there.id
            WHERE stage.id = ANY(%s)
        )
        GROUP BY state.contact_id
    ) AS people GROUP BY effect, places
"""


@dataclass(frozen=True, slots=True)
class EffectPreview:
    """How many people's mail would pause, stop or resume; and how many have a deal in these stages."""

    pauses: int
    stops: int
    releases: int
    looked_at: int

    def __str__(self) -> str:
        told = [
            f"{verb} {number:,} {'person' if number == 1 else 'people'}"
            for verb, number in (
                ("pauses", self.pauses),
                ("stops", self.stops),
                ("releases", self.releases),
            )
            if number
        ]
        if not told:
            return "Changes nothing for anybody now."
        sentence = f"{', '.join(told)} now."
        return sentence[0].upper() + sentence[1:]


def preview_effects(wanted: Mapping[int, Effect]) -> EffectPreview:
    """Count what `set_effects` would do, with the same decision over the same deals."""
    stages = stages_by_id()
    for stage in stages.values():
        stage.effect = wanted.get(stage.pk, stage.effect)
    groups = run_statement(GROUPS, [list(wanted)])
    becomes: Counter[str] = Counter()
    for before, places, people in groups:
        deals = [Deal(pipeline_id=pair[0], stage_id=pair[1]) for pair in json.loads(places)]
        after = decide_effect(deals, stages).effect
        if after != before:
            becomes[after] += people
    return EffectPreview(
        pauses=becomes[Effect.PAUSE],
        stops=becomes[Effect.STOP],
        releases=becomes[Effect.NONE],
        looked_at=sum(people for *_, people in groups),
    )

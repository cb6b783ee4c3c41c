"""What deals do to the mail of their contacts."""

import pytest

from crm_sync.deals.stage_policy import decide_effect, effect_of, first_effect, set_effect
from crm_sync.models import Deal, Stage
from leadscoring import crm_state
from leadscoring.models import CrmState, Effect
from tests.crm_sync.makers import MONDAY, a_contact

QUALIFIED = Stage(pipeline_id="p", pipeline="Sales", stage_id="q", label="Qualified", effect="none")
NEGOTIATION = Stage(
    pipeline_id="p", pipeline="Sales", stage_id="n", label="Negotiation", effect="pause"
)
WON = Stage(
    pipeline_id="p",
    pipeline="Sales",
    stage_id="w",
    label="Won",
    closed=True,
    won=True,
    effect="stop",
)
LOST = Stage(
    pipeline_id="p", pipeline="Sales", stage_id="l", label="Lost", closed=True, effect="stop"
)
UNSET = Stage(pipeline_id="p", pipeline="Sales", stage_id="u", label="Legal review", effect="")
STAGES = {
    (each.pipeline_id, each.stage_id): each for each in (QUALIFIED, NEGOTIATION, WON, LOST, UNSET)
}


def a_deal(stage, name="Acme", number="1"):
    return Deal(deal_id=number, name=name, pipeline_id="p", stage_id=stage, closed=stage in "wl")


@pytest.mark.parametrize(
    ("closed", "probability", "effect"),
    [
        (True, 1.0, "stop"),
        (True, 0.0, "stop"),
        (False, 0.59, "none"),
        (False, 0.6, "pause"),
        (False, 0.9, "pause"),
        (False, None, "none"),
    ],
)
def test_first_effects(closed, probability, effect):
    assert first_effect(closed=closed, probability=probability) == effect


@pytest.mark.parametrize(
    ("stage", "effect", "reason"),
    [
        ("q", "none", ""),
        ("n", "pause", "Deal “Acme” is in Negotiation (Sales)"),
        ("w", "stop", "Deal “Acme” was won (Sales)"),
        ("l", "stop", "Deal “Acme” was lost (Sales)"),
        (
            "u",
            "pause",
            "Deal “Acme” is in Legal review (Sales), and nobody has set yet what this stage does",
        ),
        ("?", "pause", "Deal “Acme” is in a stage that is not known here yet"),
    ],
)
def test_a_deals_effect_and_its_sentence(stage, effect, reason):
    found = decide_effect([a_deal(stage)], STAGES)

    assert (found.effect, found.reason) == (effect, reason)


def test_nobody_knows_what_an_unset_or_unknown_stage_does_so_it_holds():
    assert effect_of(UNSET) == effect_of(None) == Effect.PAUSE


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_strictest_deal_wins_and_is_named_whatever_the_order(order):
    deals = [a_deal("q", "First", "1"), a_deal("n", "Second", "2"), a_deal("w", "Third", "3")]

    found = decide_effect([deals[place] for place in order], STAGES)

    assert (found.effect, found.reason) == ("stop", "Deal “Third” was won (Sales)")
    assert [deal["effect"] for deal in found.deals] == ["stop", "pause", "none"]


def test_no_deals_no_effect():
    assert decide_effect([], STAGES).effect == Effect.NONE


@pytest.mark.django_db
def test_setting_a_stages_effect_changes_its_contacts_at_once_and_without_the_crm():
    ada, other = a_contact(), a_contact()
    stage = Stage.objects.create(
        pipeline_id="p", pipeline="Sales", stage_id="q", label="Qualified", effect="none"
    )
    deal = Deal.objects.create(
        deal_id="1", name="Acme", pipeline_id="p", stage_id="q", seen_at=MONDAY
    )
    deal.contacts.add(ada)
    for contact in (ada, other):
        crm_state.store_states(
            [CrmState(contact=contact, record_id="1", since=MONDAY, seen_at=MONDAY)], MONDAY
        )

    changed = set_effect(stage, Effect.STOP, "kim", MONDAY)

    state = CrmState.objects.get(contact=ada)
    assert changed == 1
    assert (state.effect, state.reason) == ("stop", "Deal “Acme” is in Qualified (Sales)")
    assert (Stage.objects.get().effect, Stage.objects.get().set_by) == ("stop", "kim")
    assert CrmState.objects.get(contact=other).effect == "none"

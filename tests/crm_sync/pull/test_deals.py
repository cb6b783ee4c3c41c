"""What sales does with deals, step by step, and what each step means for the contact's mail."""

import pytest
from django.utils.timezone import now

from crm_sync.deals.mirror import mirror_stages
from crm_sync.models import Deal, Round, Stage
from crm_sync.port import CrmStage
from crm_sync.pull import cursors, sweep
from crm_sync.pull.poll import pull_changes
from leadscoring.models import CrmState
from tests.crm_sync.reading import a_linked, a_visit, look_back

pytestmark = pytest.mark.django_db

OPEN, NEGOTIATION = ("default", "qualifiedtobuy"), ("default", "contractsent")
WON, LOST = ("default", "closedwon"), ("default", "closedlost")
OTHER_OPEN = ("74830011", "148830201")

IN_NEGOTIATION = ("pause", "Deal “Acme” is in Contract Sent (Sales Pipeline)")
IS_WON = ("stop", "Deal “Acme” was won (Sales Pipeline)")
IS_LOST = ("stop", "Deal “Acme” was lost (Sales Pipeline)")
NOTHING = ("none", "")


@pytest.fixture
def ada(crm, there):
    """Somebody who is known to the CRM; the pipelines are known here."""
    assert pull_changes(crm, now()).error == ""
    contact, record_id = a_linked(crm, there, "ada@engines.example")
    contact.record_id = record_id
    look_back(crm)
    return contact


def catch_up(crm):
    """A turn of changes and one of associations, as the pull takes them; nobody's record is swept."""
    cursors.follow_changes(a_visit(crm), "contacts", "deals")
    Round.objects.filter(pk=Round.Kind.ASSOCIATIONS).delete()
    sweep.sweep_associations(a_visit(crm))


def effect(crm, contact):
    catch_up(crm)
    state = CrmState.objects.get(contact=contact)
    return state.effect, state.reason


@pytest.mark.parametrize(
    ("stage", "becomes"),
    [(OPEN, NOTHING), (NEGOTIATION, IN_NEGOTIATION), (WON, IS_WON), (LOST, IS_LOST)],
)
def test_a_deal_does_what_its_stage_says(crm, there, ada, stage, becomes):
    there.add_deal("Acme", stage, ada.record_id)

    assert effect(crm, ada) == becomes


@pytest.mark.parametrize(
    ("from_stage", "to_stage", "becomes"),
    [(WON, NEGOTIATION, IN_NEGOTIATION), (LOST, OPEN, NOTHING), (WON, LOST, IS_LOST)],
)
def test_a_deal_that_is_reopened_or_decided_otherwise(
    crm, there, ada, from_stage, to_stage, becomes
):
    deal_id = there.add_deal("Acme", from_stage, ada.record_id)
    before = effect(crm, ada)

    there.move_deal(deal_id, to_stage)

    assert before[0] == "stop"
    assert effect(crm, ada) == becomes


def test_a_deal_that_moves_to_another_pipeline_is_judged_by_that_pipelines_stage(crm, there, ada):
    deal_id = there.add_deal("Acme", NEGOTIATION, ada.record_id)
    before = effect(crm, ada)

    there.move_deal(deal_id, OTHER_OPEN)

    assert before == IN_NEGOTIATION
    assert effect(crm, ada) == NOTHING
    assert [each["pipeline"] for each in CrmState.objects.get(contact=ada).deals] == [
        "Partner deals"
    ]


def test_stages_of_two_pipelines_are_not_mixed_up_when_they_share_an_id(crm, there, ada):
    pipelines = there.sandbox.store.pipelines
    stage = next(one for one in pipelines["default"]["stages"] if one["id"] == "contractsent")
    pipelines["74830011"]["stages"].append({**stage, "label": "Paper out"})
    pull_changes(crm, now(), full=True)
    Stage.objects.filter(pipeline_id="74830011", stage_id="contractsent").update(effect="none")
    deal_id = there.add_deal("Acme", NEGOTIATION, ada.record_id)
    before = effect(crm, ada)

    there.move_deal(deal_id, ("74830011", "contractsent"))

    assert (before, effect(crm, ada)) == (IN_NEGOTIATION, NOTHING)


@pytest.mark.parametrize("stage", [NEGOTIATION, WON])
def test_a_deal_that_is_deleted_holds_nobody_and_holds_again_when_it_is_restored(
    crm, there, ada, stage
):
    deal_id = there.add_deal("Acme", stage, ada.record_id)
    before = effect(crm, ada)

    there.archive_deal(deal_id)
    deleted = effect(crm, ada)
    there.restore_deal(deal_id)

    assert deleted == NOTHING
    assert effect(crm, ada) == before != NOTHING


def test_of_several_deals_the_strictest_is_named_and_the_next_one_when_it_is_gone(crm, there, ada):
    there.add_deal("Small", OPEN, ada.record_id)
    there.add_deal("Acme", NEGOTIATION, ada.record_id)
    won = there.add_deal("Big", WON, ada.record_id)
    all_three = effect(crm, ada)

    there.archive_deal(won)

    assert all_three == ("stop", "Deal “Big” was won (Sales Pipeline)")
    assert effect(crm, ada) == IN_NEGOTIATION
    assert len(CrmState.objects.get(contact=ada).deals) == 2


def test_a_deal_of_two_people_holds_both_and_only_whom_it_still_hangs_on(crm, there, ada):
    bob, record_id = a_linked(crm, there, "bob@engines.example")
    deal_id = there.add_deal("Acme", NEGOTIATION, ada.record_id, record_id)
    both = effect(crm, ada), effect(crm, bob)

    there.unhang_deal(deal_id, record_id)

    assert both == (IN_NEGOTIATION, IN_NEGOTIATION)
    assert (effect(crm, ada), effect(crm, bob)) == (IN_NEGOTIATION, NOTHING)


def test_a_deal_without_a_contact_holds_nobody_until_it_gets_one(crm, there, ada):
    deal_id = there.add_deal("Acme", WON)
    before = effect(crm, ada)

    there.associate_deal(deal_id, ada.record_id)

    assert (before, effect(crm, ada)) == (NOTHING, IS_WON)


def test_two_deals_that_are_merged_are_one(crm, there, ada):
    kept, gone = there.add_deal("Acme", NEGOTIATION, ada.record_id), there.add_deal("Old", WON)
    there.associate_deal(gone, ada.record_id)
    before = effect(crm, ada)

    there.merge_deals(kept, gone)

    assert before == ("stop", "Deal “Old” was won (Sales Pipeline)")
    assert effect(crm, ada) == IN_NEGOTIATION
    assert Deal.objects.filter(contacts=ada).count() == 1


def test_a_stage_that_was_archived_keeps_doing_to_its_deals_what_was_set(crm, there, ada):
    """HubSpot lets nobody archive a stage with deals in it, but a deal may be restored into one."""
    there.add_deal("Acme", NEGOTIATION, ada.record_id)
    before = effect(crm, ada)
    stages = there.sandbox.store.pipelines["default"]["stages"]
    stages.remove(next(stage for stage in stages if stage["id"] == "contractsent"))

    pull_changes(crm, now(), full=True)

    assert Stage.objects.get(pipeline_id="default", stage_id="contractsent").archived
    assert (before, effect(crm, ada)) == (IN_NEGOTIATION, IN_NEGOTIATION)


def test_a_renamed_stage_is_named_by_its_new_name_and_does_what_it_did(crm, there, ada):
    there.add_deal("Acme", NEGOTIATION, ada.record_id)
    stages = there.sandbox.store.pipelines["default"]["stages"]
    next(stage for stage in stages if stage["id"] == "contractsent")["label"] = "Paper out"

    pull_changes(crm, now(), full=True)

    assert effect(crm, ada) == ("pause", "Deal “Acme” is in Paper out (Sales Pipeline)")


def test_a_new_stage_holds_until_somebody_says_what_it_does(crm, there, ada):
    stages = there.sandbox.store.pipelines["default"]["stages"]
    stages.append({**stages[0], "id": "legal", "label": "Legal review"})
    there.add_deal("Acme", ("default", "legal"), ada.record_id)

    pause, reason = effect(crm, ada)

    assert pause == "pause"
    assert "Legal review" in reason
    assert "nobody has set" in reason


def test_stages_are_told_apart_by_ids_as_long_as_a_crm_makes_them():
    """A stage of Salesforce is known by a name of up to 255 characters."""
    begin = "A stage whose name goes on and on " * 7

    mirror_stages(
        [
            CrmStage(begin + end, "Pipeline", begin + end, end, 1, None, closed=False, won=False)
            for end in ("first", "second")
        ]
    )

    ids = set(Stage.objects.values_list("pipeline_id", "stage_id"))
    assert {(begin + "first", begin + "first"), (begin + "second", begin + "second")} <= ids

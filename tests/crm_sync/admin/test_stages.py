"""Deal stages as a board: seen, previewed and set."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.utils.timezone import now

from crm_sync.deals.effect_preview import preview_effects
from crm_sync.deals.mirror import mirror_stages
from crm_sync.deals.stage_policy import set_effects
from crm_sync.models import Deal, Stage
from crm_sync.port import CrmStage
from leadscoring import crm_state
from leadscoring.models import CrmState, Effect
from tests.admin_pages import HOSTILE, as_, as_superuser, page
from tests.crm_sync.makers import MONDAY, a_contact

pytestmark = pytest.mark.django_db
BOARD = page("crm_sync.stage")


def a_stage(stage_id, effect="", **fields):
    given = {"pipeline_id": "p", "pipeline": "Sales", "label": stage_id, **fields}
    return Stage.objects.create(stage_id=stage_id, effect=effect, **given)


def somebody_in(*stages):
    """The CRM state of somebody with a deal in each of the stages, as it is when these are set."""
    contact = a_contact()
    for number, stage in enumerate(stages):
        deal = Deal.objects.create(
            deal_id=f"{contact.pk}-{number}",
            pipeline_id=stage.pipeline_id,
            stage_id=stage.stage_id,
            seen_at=now(),
        )
        deal.contacts.add(contact)
    crm_state.store_states(
        [CrmState(contact=contact, record_id="1", since=now(), seen_at=now())], now()
    )
    set_effects({stage.pk: Effect(stage.effect) for stage in stages if stage.effect}, "", now())
    return CrmState.objects.get(contact=contact)


def sent(client, *effects, **more):
    """The form of the board with these effects; answers the page that follows."""
    data = {"effects": "yes", **more} | {f"effect-{stage.pk}": word for stage, word in effects}
    return client.post(BOARD, data, follow=True).content.decode()


def as_told(label, **more):
    known: dict[str, Any] = {
        "pipeline_id": "p",
        "pipeline": "Sales",
        "stage_id": "s",
        "position": 0,
    }
    return CrmStage(label=label, probability=0.2, closed=False, won=False, **(known | more))


def test_an_effect_is_previewed_before_it_is_saved():
    stage = a_stage("talks", "none")
    state = somebody_in(stage)

    told = sent(as_("Marketing"), (stage, "pause"))

    stage.refresh_from_db()
    state.refresh_from_db()
    assert "Pauses 1 person now." in told
    assert (stage.effect, state.effect) == ("none", "none")


def test_a_confirmed_effect_follows_at_once_and_says_who_set_it():
    stage, other = a_stage("talks", "none"), a_stage("won", "stop")
    state = somebody_in(stage)

    told = sent(as_("Marketing"), (stage, "pause"), (other, "stop"), confirmed="yes")

    for row in (stage, other, state):
        row.refresh_from_db()
    assert "1 stage saved. 1 contact changes with it." in told
    assert (stage.effect, stage.set_by, stage.set_at is None) == ("pause", "Marketing", False)
    assert other.set_by == ""
    assert state.effect == "pause"
    assert LogEntry.objects.get().object_id == str(stage.pk)


def test_several_stages_are_counted_together_and_each_person_once():
    talks, offer, won = a_stage("talks", "none"), a_stage("offer", "pause"), a_stage("won", "stop")
    for stages in ((talks,), (talks,), (offer,), (talks, offer), (talks, won), (won,)):
        somebody_in(*stages)

    told = preview_effects({talks.pk: Effect.PAUSE, offer.pk: Effect.NONE, won.pk: Effect.STOP})

    assert (told.pauses, told.stops, told.releases, told.looked_at) == (2, 0, 1, 6)


@pytest.mark.parametrize("wanted", ["none", "pause", "stop"])
@pytest.mark.parametrize("effect", ["", "none", "pause", "stop"])
def test_what_is_foreseen_is_what_happens(effect, wanted):
    stage, other = a_stage("talks", effect), a_stage("offer", "pause")
    states = [somebody_in(stage), somebody_in(stage, other), somebody_in(other)]
    before = dict(CrmState.objects.values_list("pk", "effect"))

    told = preview_effects({stage.pk: Effect(wanted)})
    set_effects({stage.pk: Effect(wanted)}, "kim", now())

    after = dict(CrmState.objects.values_list("pk", "effect"))
    became = [after[state.pk] for state in states if after[state.pk] != before[state.pk]]
    assert (told.pauses, told.stops, told.releases) == tuple(
        became.count(word) for word in ("pause", "stop", "none")
    )


def test_a_preview_costs_as_many_queries_for_many_people(django_assert_num_queries):
    stage = a_stage("talks", "none")
    for _ in range(20):
        somebody_in(stage)

    with django_assert_num_queries(2):
        preview_effects({stage.pk: Effect.STOP})


def test_the_sentence_of_a_preview_names_every_kind_of_change():
    stages = a_stage("a", "none"), a_stage("b", "none"), a_stage("c", "pause")
    for stage in stages:
        somebody_in(stage)

    effects = (Effect.PAUSE, Effect.STOP, Effect.NONE)
    told = preview_effects(dict(zip((one.pk for one in stages), effects, strict=True)))

    assert str(told) == "Pauses 1 person, stops 1 person, releases 1 person now."


def test_a_change_that_touches_nobody_says_so():
    assert "Changes nothing for anybody now." in sent(as_superuser(), (a_stage("talks"), "none"))


def test_back_from_the_preview_the_choice_is_kept_and_nothing_saved():
    stage = a_stage("talks", "none")

    told = sent(as_superuser(), (stage, "stop"), back="yes")

    assert f'name="effect-{stage.pk}" value="stop" checked' in told
    assert Stage.objects.get(pk=stage.pk).effect == "none"


@pytest.mark.parametrize("word", ["", "NONE", "delete", "none "])
def test_an_effect_cannot_be_unset_or_made_up(word):
    stage = a_stage("offer", "pause")

    told = sent(as_("Marketing"), (stage, word), confirmed="yes")

    stage.refresh_from_db()
    assert "Nothing was changed." in told
    assert stage.effect == "pause"


def test_of_a_stage_only_the_effect_can_be_changed():
    stage = a_stage("offer", "pause")

    sent(as_superuser(), (stage, "stop"), confirmed="yes", label="X", won="on", set_by="X")

    stage.refresh_from_db()
    assert (stage.effect, stage.label, stage.won, stage.set_by) == ("stop", "offer", False, "root")


def test_operations_sees_the_board_and_sets_no_effects():
    stage, client = a_stage("talks"), as_("Operations")

    answer = client.post(
        BOARD, {"effects": "yes", f"effect-{stage.pk}": "none", "confirmed": "yes"}
    )

    stage.refresh_from_db()
    assert (answer.status_code, stage.effect) == (403, "")
    assert 'type="radio"' not in client.get(BOARD).content.decode()


def test_the_page_of_a_stage_is_the_board():
    stage, client = a_stage("talks"), as_("Marketing")

    told = client.get(page("crm_sync.stage", stage.pk)).content.decode()

    assert "See what that changes" in told
    assert client.get(page("crm_sync.stage", stage.pk + 1)).status_code == 404


def test_each_pipeline_is_a_column_in_its_order_with_archived_stages_last():
    a_stage("second", "none", position=1)
    a_stage("gone", "none", position=0, archived=True)
    a_stage("first", "none", position=0)
    a_stage("other", "none", pipeline_id="q", pipeline="Renewals")

    shown = as_superuser().get(BOARD).context["pipelines"]

    assert [(name, [card.stage.stage_id for card in cards]) for name, cards in shown] == [
        ("Renewals", ["other"]),
        ("Sales", ["first", "second", "gone"]),
    ]


def test_a_card_counts_its_deals_and_people():
    stage = a_stage("talks", "none")
    somebody_in(stage, stage)
    somebody_in(stage)

    card = as_superuser().get(BOARD).context["pipelines"][0][1][0]

    assert (card.deals, card.people) == (3, 2)


def test_the_board_costs_as_many_queries_for_many_stages(django_assert_max_num_queries):
    client = as_superuser()
    for number in range(30):
        a_stage(f"s{number}", "none", position=number)

    with django_assert_max_num_queries(8):
        client.get(BOARD)


def test_a_stage_that_nobody_has_set_holds_and_says_so():
    stage = a_stage("new")

    told = as_superuser().get(BOARD).content.decode()

    assert "Nobody has set it yet: it pauses." in told
    assert f'name="effect-{stage.pk}" value="none" checked' not in told


def test_a_stage_renamed_there_is_marked_until_somebody_sets_it_again():
    mirror_stages([as_told("Talks")])
    mirror_stages([as_told("Legal")])
    mirror_stages([as_told("Legal review")])
    renamed = as_superuser().get(BOARD).content.decode()
    set_effects({Stage.objects.get().pk: Effect.PAUSE}, "kim", MONDAY)

    mirror_stages([as_told("Legal review")])

    assert "Was “<bdi>Talks</bdi>”" in renamed
    assert Stage.objects.get().former_label == ""


def test_a_stage_renamed_back_is_not_renamed():
    for label in ("Talks", "Legal", "Talks"):
        mirror_stages([as_told(label)])

    assert Stage.objects.get().former_label == ""


def test_when_a_stage_was_first_seen_stays():
    mirror_stages([as_told("Talks")])
    first = Stage.objects.get().first_seen_at

    mirror_stages([as_told("Talks", position=3)])

    assert first is not None
    assert Stage.objects.get().first_seen_at == first


def test_hostile_names_are_shown_as_they_are_written():
    a_stage("talks", "none", label=HOSTILE, pipeline=HOSTILE, former_label=HOSTILE)

    told = as_superuser().get(BOARD).content.decode()

    assert "<script>alert" not in told
    assert "{{ 7|add:7 }}" in told

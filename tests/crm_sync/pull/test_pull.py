"""What sales does in the CRM, as it comes back."""

from datetime import timedelta

import pytest
from django.db import connection

from crm_sync.handoff.deliver import deliver_due
from crm_sync.models import Account, Deal, Link, Owner, PullReport, Stage
from crm_sync.pull.poll import pull_changes
from leadscoring.common.advisory_lock import PULLS
from leadscoring.models import Contact, CrmFreshness, CrmState
from leadscoring.signals import crm_state_changed
from sequences.models import Enrollment, Sequence
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(minutes=10)


def an_enrolled(contact):
    sequence, _ = Sequence.objects.get_or_create(name="nurture")
    times = {"entered_at": MONDAY, "changed_at": MONDAY, "next_at": MONDAY}
    return Enrollment.objects.create(contact=contact, sequence=sequence, by="test", **times)


def a_linked(crm, email="ada@engines.example"):
    """Somebody whom a handoff has brought into the CRM."""
    contact = a_contact(email)
    a_handoff(contact)
    deliver_due(crm, MONDAY)
    return contact, Link.objects.get(contact=contact).record_id


def state_of(contact):
    return CrmState.objects.get(contact=contact)


# --- deals ----------------------------------------------------------------------------------------


def test_a_deal_in_negotiation_pauses_and_is_named(crm, there):
    ada, record_id = a_linked(crm)
    there.add_deal("Acme", there.open_stage, record_id)

    pull_changes(crm, MONDAY)

    state = state_of(ada)
    assert (state.effect, state.reason) == (
        "pause",
        "Deal “Acme” is in Contract Sent (Sales Pipeline)",
    )
    assert state.deals[0]["stage"] == "Contract Sent"


def test_a_deal_that_is_won_stops(crm, there):
    ada, record_id = a_linked(crm)
    there.add_deal("Acme", there.won_stage, record_id)

    pull_changes(crm, MONDAY)

    assert (state_of(ada).effect, state_of(ada).reason) == (
        "stop",
        "Deal “Acme” was won (Sales Pipeline)",
    )


def test_a_deal_that_moved_changes_the_effect_and_tells_it(crm, there):
    ada, record_id = a_linked(crm)
    deal_id = there.add_deal("Acme", there.open_stage, record_id)
    pull_changes(crm, MONDAY)
    told = []
    listen = lambda contact_ids, **kwargs: told.extend(contact_ids)  # noqa: E731
    crm_state_changed.connect(listen)

    there.ask(
        "PATCH", f"/crm/v3/objects/deals/{deal_id}", {"properties": {"dealstage": "qualifiedtobuy"}}
    )
    pull_changes(crm, LATER)

    assert (state_of(ada).effect, told) == ("none", [ada.pk])


def test_a_deal_of_two_contacts_counts_for_both_and_of_none_for_nobody(crm, there):
    ada, first = a_linked(crm, "ada@engines.example")
    bob, second = a_linked(crm, "bob@engines.example")
    deal_id = there.add_deal("Acme", there.open_stage, first, second)
    there.add_deal("Nobody's", there.won_stage)
    pull_changes(crm, MONDAY)

    there.ask("DELETE", f"/crm/v3/objects/deals/{deal_id}")
    effects = [state_of(ada).effect, state_of(bob).effect]
    pull_changes(crm, LATER)

    assert effects == ["pause", "pause"]
    assert [state_of(ada).effect, state_of(bob).effect] == ["none", "none"]
    assert not Deal.objects.exists()


@pytest.mark.parametrize(
    ("amount", "kept"),
    [
        ("1250.5", 1250.5),
        ("", None),
        ("abc", None),
        ("NaN", None),
        ("1e400", None),
        ("9999999999999999.99999", None),
        ("9999999999999998.99999", 9999999999999999),
        ("1E-1000000", 0),
        ("0.00004", 0),
    ],
)
def test_an_amount_is_parsed_or_not_known(amount, kept):
    from crm_sync.deals.mirror import parse_amount as parsed

    assert parsed(amount) == kept


# --- stages and reps --------------------------------------------------------------------------------


def test_a_new_pipeline_gets_first_effects_by_probability(crm):
    pull_changes(crm, MONDAY)

    effects = dict(Stage.objects.values_list("stage_id", "effect"))
    assert effects["appointmentscheduled"] == "none"
    assert effects["presentationscheduled"] == "pause"
    assert effects["closedwon"] == effects["closedlost"] == "stop"
    assert effects["148830202"] == "none"  # labelled closed lost, but open


def test_a_stage_that_turns_up_later_holds_until_somebody_sets_it(crm, there):
    pull_changes(crm, MONDAY)
    stages = there.sandbox.store.pipelines["default"]["stages"]
    stages.append({**stages[0], "id": "legal", "label": "Legal review"})
    ada, record_id = a_linked(crm)
    there.add_deal("Acme", ("default", "legal"), record_id)

    pull_changes(crm, LATER)

    assert Stage.objects.get(stage_id="legal").effect == ""
    assert state_of(ada).effect == "pause"
    assert "nobody has set yet" in state_of(ada).reason


def test_renamed_and_archived_stages_are_followed_and_their_effect_stays(crm, there):
    pull_changes(crm, MONDAY)
    Stage.objects.filter(stage_id="contractsent").update(effect="stop", set_by="kim")
    stages = there.sandbox.store.pipelines["default"]["stages"]
    next(each for each in stages if each["id"] == "contractsent")["label"] = "Paper out"
    del stages[0]

    pull_changes(crm, LATER)

    renamed = Stage.objects.get(stage_id="contractsent")
    assert (renamed.label, renamed.effect, renamed.set_by) == ("Paper out", "stop", "kim")
    assert Stage.objects.get(stage_id="appointmentscheduled").archived


def test_reps_are_mirrored_and_one_who_left_is_not_active(crm, there):
    pull_changes(crm, MONDAY)
    Owner.objects.filter(owner_id="712340001").update(takes_leads=False)
    there.sandbox.store.owners["712340002"]["archived"] = True

    pull_changes(crm, LATER)

    assert dict(Owner.objects.values_list("owner_id", "active")) == {
        "712340001": True,
        "712340002": False,
        "712340003": True,
        "712340004": False,
    }
    assert not Owner.objects.get(owner_id="712340001").takes_leads


# --- people -----------------------------------------------------------------------------------------


def test_the_records_owner_opt_out_and_stage_come_back(crm, there):
    ada, record_id = a_linked(crm)
    there.set(record_id, hubspot_owner_id="712340003", lifecyclestage="salesqualifiedlead")
    there.opt_out(record_id)

    pull_changes(crm, MONDAY)

    state = state_of(ada)
    assert (state.owner_id, state.owner_name, state.owner_email) == (
        "712340003",
        "Lee Moreno",
        "lee@sales.example",
    )
    assert state.opted_out
    ada.refresh_from_db()
    assert ada.lifecycle_stage == "sql"


def test_a_stage_that_scores_made_here_is_not_taken_back_by_an_older_one_there(crm, there):
    ada, _ = a_linked(crm)
    type(ada).objects.update(lifecycle_stage="mql")

    pull_changes(crm, MONDAY)

    ada.refresh_from_db()
    assert ada.lifecycle_stage == "mql"


def test_somebody_in_a_sequence_whom_the_crm_knows_is_found_by_address(crm, there):
    record_id = there.add_contact("Ada@Engines.example")
    there.add_deal("Acme", there.open_stage, record_id)
    ada = a_contact("ada@engines.example")
    an_enrolled(ada)

    pull_changes(crm, MONDAY)

    assert Link.objects.get(contact=ada).record_id == record_id
    assert state_of(ada).effect == "pause"


def test_somebody_whom_the_crm_does_not_know_is_known_not_to_be_there(crm):
    ada = a_contact()
    an_enrolled(ada)

    pull_changes(crm, MONDAY)

    assert (state_of(ada).record_id, state_of(ada).effect) == ("", "none")
    assert not Link.objects.exists()


def test_people_with_whom_we_have_nothing_to_do_are_not_asked_for(crm, there):
    there.add_contact("ada@engines.example")
    a_contact("ada@engines.example")

    pull_changes(crm, MONDAY)

    assert not CrmState.objects.exists()


def test_a_deleted_record_holds_mail_and_a_restored_one_lets_it_go(crm, there):
    ada, record_id = a_linked(crm)
    there.archive(record_id)
    pull_changes(crm, MONDAY)
    held = state_of(ada)

    there.sandbox.store.records["contacts"][record_id].archived_at = None
    there.sandbox.store.index(there.sandbox.store.records["contacts"][record_id])
    pull_changes(crm, LATER)

    assert (held.effect, held.reason) == ("pause", "The contact's record was deleted in the CRM")
    assert state_of(ada).effect == "none"
    assert Link.objects.get(contact=ada).gone_at is None


def test_a_person_made_anew_by_hand_is_linked_again(crm, there):
    ada, record_id = a_linked(crm)
    there.archive(record_id)
    anew = there.add_contact("ada@engines.example")

    pull_changes(crm, MONDAY)

    assert Link.objects.get(contact=ada).record_id == anew
    assert state_of(ada).record_id == anew


def test_a_merged_record_is_followed(crm, there):
    ada, record_id = a_linked(crm)
    new = there.merge(there.add_contact("byron@engines.example"), record_id)
    there.add_deal("Acme", there.open_stage, new)

    pull_changes(crm, MONDAY)

    assert Link.objects.get(contact=ada).record_id == new
    assert state_of(ada).effect == "pause"


def test_two_of_ours_that_became_one_there_both_feel_its_deals(crm, there):
    ada, first = a_linked(crm, "ada@engines.example")
    bob, second = a_linked(crm, "bob@engines.example")
    there.add_deal("Acme", there.open_stage, there.merge(first, second))

    pull_changes(crm, MONDAY)

    assert [state_of(ada).effect, state_of(bob).effect] == ["pause", "pause"]


def test_two_of_ours_that_became_one_there_become_one_here(
    crm, there, django_capture_on_commit_callbacks
):
    ada, first = a_linked(crm, "ada@engines.example")
    bob, second = a_linked(crm, "bob@engines.example")
    there.add_deal("Acme", there.open_stage, there.merge(first, second))

    with django_capture_on_commit_callbacks(execute=True):
        pull_changes(crm, MONDAY)
    pull_changes(crm, LATER)

    (left,) = Contact.objects.filter(pk__in=[ada.pk, bob.pk])
    assert state_of(left).effect == "pause"
    assert Link.objects.count() == 1


# --- how the pull itself fares ------------------------------------------------------------------------


def test_freshness_is_when_looking_at_everybody_began(crm):
    pull_changes(crm, MONDAY)

    assert MONDAY <= CrmFreshness.oldest() < LATER


@pytest.mark.parametrize(
    "path",
    ["/crm/v3/pipelines", "/crm/v3/owners", "/crm/v3/objects/contacts", "/crm/v4/associations"],
)
def test_a_pull_that_failed_says_why_and_leaves_freshness_alone(crm, there, path):
    a_linked(crm)
    pull_changes(crm, MONDAY)
    before = CrmFreshness.oldest()
    there.trouble("status", path, status=503, times=3)

    report = pull_changes(crm, LATER)

    assert report.error
    assert PullReport.objects.get().error == report.error
    assert CrmFreshness.oldest() == before


def test_two_pulls_at_once_are_one(crm):
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [PULLS])
        meanwhile = pull_changes(crm, MONDAY)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [PULLS])
    other.close()

    assert meanwhile is None
    assert pull_changes(crm, MONDAY).error == ""


def test_a_token_of_another_account_changes_nothing(crm):
    Account.objects.create(account_id="111", seen_at=MONDAY)

    report = pull_changes(crm, MONDAY)

    assert "account 111" in report.error
    assert not Stage.objects.exists()


def test_what_a_pull_did_not_look_at_is_not_known_any_more(crm):
    ada = a_contact()
    enrollment = an_enrolled(ada)
    pull_changes(crm, MONDAY)
    enrollment.delete()

    pull_changes(crm, LATER)

    assert not CrmState.objects.exists()


def test_the_number_of_queries_does_not_grow_with_people(crm, django_assert_max_num_queries):
    for _ in range(100):
        a_handoff()
    deliver_due(crm, MONDAY)

    with django_assert_max_num_queries(60):
        report = pull_changes(crm, MONDAY)

    assert report.contacts == 100

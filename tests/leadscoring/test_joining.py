"""Two people who are one: what they did, what they are worth and what they were told is one's."""

from datetime import timedelta
from typing import Any

import pytest

from crm_sync.models import Handoff, Link, Push
from leadscoring import api_keys
from leadscoring.address_changes import change_addresses
from leadscoring.erasing import erase_contact
from leadscoring.intake import take_activities, take_contacts
from leadscoring.merging import merge_contacts
from leadscoring.models import Activity, Contact, Score
from leadscoring.scoring import rescore
from sequences.models import Enrollment, Suppression
from sequences.suppression import suppress_addresses
from tests.admin_pages import as_, page
from tests.crm_sync.makers import a_handoff
from tests.makers import NOON, a_contact, an_activity
from tests.sequences.makers import a_sequence, an_enrollment

pytestmark = pytest.mark.django_db


def two(**fields):
    return a_contact(email="ada@engines.example"), a_contact(email="ada@home.example", **fields)


def test_activities_of_both_count_for_the_one_who_stays():
    kept, gone = two()
    an_activity(kept), an_activity(gone)

    merge_contacts(kept.pk, gone.pk, NOON)

    assert Activity.objects.filter(contact=kept).count() == 2
    assert not Contact.objects.filter(pk=gone.pk).exists()


def test_empty_fields_are_filled_and_others_stay():
    kept, gone = two(first_name="Augusta", job_title="Countess", external_id="7")
    Contact.objects.filter(pk=kept.pk).update(first_name="Ada")

    merge_contacts(kept.pk, gone.pk, NOON)

    kept.refresh_from_db()
    assert (kept.first_name, kept.job_title, kept.external_id) == ("Ada", "Countess", "7")
    assert kept.email == "ada@engines.example"


def test_what_is_known_from_now_on_is_kept_with_its_time():
    kept, gone = two(job_title="Countess")

    merge_contacts(kept.pk, gone.pk, NOON + timedelta(days=1))

    assert kept.profile_changes.latest("at").fields["job_title"] == "Countess"


def test_the_score_is_that_of_both_and_a_recompute_agrees():
    kept, gone = two()
    for _ in range(3):
        an_activity(kept, type="demo_request"), an_activity(gone, type="demo_request")

    merge_contacts(kept.pk, gone.pk, NOON)
    stored = Score.objects.get(contact=kept).total
    rescore([kept.pk], NOON)

    assert Score.objects.get(contact=kept).total == stored > 0


def crossed(contact, **fields):
    rescore([contact.pk], NOON)
    Score.objects.filter(contact=contact).update(armed=False, cycle=1, crossed_at=NOON)
    return a_handoff(contact, **fields)


DELIVERED = {
    "status": "delivered",
    "record_id": "1",
    "owner_id": "2",
    "task_id": "3",
    "task_tried_at": NOON,
    "delivered_at": NOON,
}


def test_a_handoff_of_either_is_that_of_the_one_who_stays_and_no_second_is_made():
    kept, gone = two()
    crossed(gone, **DELIVERED)

    merge_contacts(kept.pk, gone.pk, NOON)

    score = Score.objects.get(contact=kept)
    assert [row.cycle for row in kept.handoffs.all()] == [score.cycle] == [1]
    assert not score.armed


@pytest.mark.parametrize("delivered", ["kept", "gone", ""])
def test_of_two_that_wait_for_the_same_reason_one_is_taken_back(delivered):
    kept, gone = two()
    for name, person in (("kept", kept), ("gone", gone)):
        crossed(person, **(DELIVERED if delivered == name else {}))

    merge_contacts(kept.pk, gone.pk, NOON)

    statuses = sorted(kept.handoffs.values_list("status", flat=True))
    assert statuses == sorted(["withdrawn", "delivered" if delivered else "waiting"])


@pytest.mark.parametrize("begun", ["kept", "gone"])
def test_one_whose_task_may_be_there_already_is_told_and_the_other_taken_back(begun):
    kept, gone = two()
    rows = {"kept": crossed(kept), "gone": crossed(gone)}
    Handoff.objects.filter(pk=rows[begun].pk).update(task_tried_at=NOON)

    merge_contacts(kept.pk, gone.pk, NOON)

    assert Handoff.objects.get(status="waiting").pk == rows[begun].pk
    assert Handoff.objects.get(status="withdrawn").reason.startswith("Is one person with contact")


def test_a_new_lead_is_not_taken_back_for_an_old_handoff():
    kept, gone = two()
    crossed(kept, **DELIVERED)
    Score.objects.filter(contact=kept).update(armed=True)
    waiting = crossed(gone)

    merge_contacts(kept.pk, gone.pk, NOON)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.contact_id, waiting.cycle) == ("waiting", kept.pk, 2)


def test_the_record_of_the_one_who_goes_is_kept_where_there_is_no_other():
    kept, gone = two()
    Link.objects.create(contact=gone, account_id="1", record_id="77", seen_at=NOON)

    merge_contacts(kept.pk, gone.pk, NOON)

    assert Link.objects.get(contact=kept).record_id == "77"


def test_nobody_gets_a_sequence_twice():
    kept, gone = two()
    both, one = a_sequence(), a_sequence()
    an_enrollment(kept, both), an_enrollment(gone, both), an_enrollment(gone, one)

    merge_contacts(kept.pk, gone.pk, NOON)

    states = dict(Enrollment.objects.filter(contact=kept).values_list("pk", "state"))
    assert sorted(states.values()) == ["active", "active", "stopped"]


def test_who_wants_no_mail_at_one_address_gets_none_at_the_other():
    kept, gone = two()
    Suppression.objects.create(email=gone.email, reason="unsubscribed", created_at=NOON)

    merge_contacts(kept.pk, gone.pk, NOON)

    assert Suppression.objects.filter(email=kept.email, reason="unsubscribed").exists()


def test_that_one_address_refused_mail_says_nothing_of_the_other():
    kept, gone = two()
    suppress_addresses([gone.email], Suppression.Reason.BOUNCED, NOON, by="the mail server")

    merge_contacts(kept.pk, gone.pk, NOON)

    assert not Suppression.objects.filter(email=kept.email).exists()


def test_erasing_the_one_who_stays_keeps_all_addresses_of_both_out():
    addresses = ["kept@x.example", "gone@x.example", "third@x.example"]
    take_contacts([{"email": email} for email in addresses], NOON)
    kept, gone, third = Contact.objects.order_by("pk")
    change_addresses({gone.pk: "second@x.example"}, NOON + timedelta(minutes=1))
    suppress_addresses(["second@x.example"], Suppression.Reason.UNSUBSCRIBED, NOON, by="them")
    merge_contacts(kept.pk, gone.pk, NOON)
    merge_contacts(third.pk, kept.pk, NOON)

    erase_contact(third.pk, NOON)

    again = [{"email": email} for email in [*addresses, "second@x.example"]]
    taken = take_contacts(again, NOON)
    assert (taken.created, len(taken.rejected)) == (0, 4)
    assert not Suppression.objects.exists()


@pytest.fixture
def joined():
    """Ada, whom another contact turned out to be; that one's identifiers and number."""
    first = {"email": "ada@engines.example", "external_id": "a1", "first_name": "Ada"}
    second = {"email": "ada@home.example", "external_id": "a2"}
    take_contacts([first, second], NOON)
    kept: Any
    kept, gone = Contact.objects.order_by("pk")
    merge_contacts(kept.pk, gone.pk, NOON)
    kept.refresh_from_db()
    kept.former = gone.pk
    return kept


@pytest.mark.parametrize(
    "who",
    [
        {"email": "ada@home.example"},
        {"external_id": "a2"},
        {"email": "ada@home.example", "external_id": "a2"},
        {"email": "ada@engines.example", "external_id": "a2"},
        {"email": "ada@home.example", "external_id": "a1"},
    ],
)
def test_what_named_the_one_who_went_names_the_one_who_stayed(joined, who):
    taken = take_contacts([who | {"job_title": "CEO"}], NOON)
    told = take_activities([who | {"type": "page_view", "event_id": "1"}], "web", NOON)

    ada = Contact.objects.get()
    assert (taken.created, taken.updated, told.taken, taken.rejected) == (0, 1, 1, [])
    assert (ada.pk, ada.email, ada.external_id, ada.job_title) == (
        joined.pk, "ada@engines.example", "a1", "CEO",
    )  # fmt: skip


def test_an_identifier_that_is_somebody_elses_by_now_names_them(joined):
    take_contacts([{"email": "ben@home.example"}], NOON)
    Contact.objects.filter(email="ben@home.example").update(email="ada@home.example")

    take_contacts([{"email": "ada@home.example", "first_name": "Ben"}], NOON)

    assert Contact.objects.get(first_name="Ben").email == "ada@home.example"
    assert Contact.objects.get(pk=joined.pk).first_name == "Ada"


@pytest.mark.parametrize("who", ["ada@home.example", "{former}"])
def test_the_api_finds_them_by_what_named_the_one_who_went(client, joined, who):
    _, text = api_keys.create_key("tests")
    key = {"authorization": f"Bearer {text}"}

    answer = client.get(f"/api/v1/contacts/{who.format(former=joined.former)}", headers=key)

    assert (answer.status_code, answer.json()["id"]) == (200, joined.pk)


def test_a_tasks_link_to_the_one_who_went_leads_to_the_page_of_the_one_who_stayed(joined):
    old, page_now = (page("leadscoring.contact", pk) for pk in (joined.former, joined.pk))

    assert as_("Marketing").get(old).headers["Location"] == page_now


def test_joining_somebody_who_is_gone_already_does_nothing():
    kept, gone = two()
    merge_contacts(kept.pk, gone.pk, NOON)

    assert not merge_contacts(kept.pk, gone.pk, NOON)
    assert not Handoff.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_record_of_the_one_who_goes_becomes_that_of_the_one_who_stays():
    kept, gone = two()
    link = Link.objects.create(contact=gone, account_id="1", record_id="7", seen_at=NOON)
    Push.objects.create(link=link, at=NOON)

    merge_contacts(kept.pk, gone.pk, NOON)

    assert Link.objects.get(record_id="7").contact_id == kept.pk
    assert not Push.objects.exists()

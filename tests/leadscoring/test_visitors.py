"""Whose a visitor's acts become: devices, shared browsers, other names, time, and what the history shows."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from leadscoring.address_changes import change_addresses
from leadscoring.intake import take_contacts
from leadscoring.intake.visitors import join_late, prune_visitors
from leadscoring.merging import merge_contacts
from leadscoring.models import Activity, Contact, Visitor, WaitingActivity
from leadscoring.scoring import check_scores, score_at
from leadscoring.tasks import settle_visitors
from tests.admin_pages import as_, page
from tests.leadscoring.test_segment import Sender, acts, refused
from tests.makers import a_contact

pytestmark = pytest.mark.django_db
ADA, BEN = {"email": "ada@example.com"}, {"email": "ben@example.com"}


@pytest.fixture
def send():
    return Sender()


def batch(send, *events):
    assert send.send("batch", {"batch": events}).status_code == 200


def at(days):
    return (now() - timedelta(days=days)).isoformat()


# --- devices ------------------------------------------------------------------------------------
def test_devices_on_which_a_user_signed_in_before_having_an_address_become_one_person(send):
    for device in ("phone", "laptop", "tablet"):
        send("page", anonymousId=device)
        send("track", anonymousId=device, userId="u1", event=f"on {device}")
    send("page", anonymousId="somebody else's")

    send("identify", userId="u1", traits=ADA)
    send("page", anonymousId="tablet")

    assert sorted(acts(email="ada@example.com")) == [
        "on_laptop", "on_phone", "on_tablet", *["page_view"] * 4,
    ]  # fmt: skip
    assert Contact.objects.count() == 1
    assert WaitingActivity.objects.count() == 1


def test_two_users_who_turn_out_to_be_one_person_bring_the_devices_of_both(send):
    send("page", anonymousId="phone")
    send("identify", anonymousId="phone", traits=ADA)
    send("page", anonymousId="laptop")
    send("identify", anonymousId="laptop", traits={"email": "ada@home.example"})
    kept, gone = Contact.objects.order_by("pk")

    merge_contacts(kept.pk, gone.pk, now())
    for device in ("phone", "laptop"):
        send("track", anonymousId=device, event="later")

    assert sorted(acts(pk=kept.pk)) == ["later", "later", "page_view", "page_view"]


# --- other names --------------------------------------------------------------------------------
def test_a_waiting_user_who_is_their_own_alias_waits_on_and_joins_once(send):
    send("track", userId="u1", event="one", messageId="1")
    send("alias", userId="u1", previousId="u1")
    send("alias", anonymousId="a1", userId="a1", previousId="a1")
    send("page", anonymousId="a1", messageId="2")

    send("identify", anonymousId="a1", userId="u1", traits=ADA)

    assert sorted(acts(email="ada@example.com")) == ["one", "page_view"]
    assert not refused()


def test_aliases_in_a_ring_and_in_a_chain_are_one_person(send):
    for user in ("u1", "u2", "u3", "u4"):
        send("track", userId=user, event=f"of {user}")
    for user, before in (("u2", "u1"), ("u3", "u2"), ("u1", "u3"), ("u4", "u1")):
        send("alias", userId=user, previousId=before)

    send("identify", userId="u2", traits=ADA)

    assert sorted(acts(email="ada@example.com")) == ["of_u1", "of_u2", "of_u3", "of_u4"]
    assert not Visitor.objects.filter(contact=None).exists()


# --- shared browsers ----------------------------------------------------------------------------
KIOSK = (
    {"type": "page", "anonymousId": "kiosk", "messageId": "1"},
    {"type": "identify", "anonymousId": "kiosk", "userId": "u1", "traits": ADA, "messageId": "2"},
    {"type": "track", "anonymousId": "kiosk", "event": "one", "messageId": "3"},
    {"type": "identify", "anonymousId": "kiosk", "userId": "u2", "traits": BEN, "messageId": "4"},
    {"type": "track", "anonymousId": "kiosk", "event": "two", "messageId": "5"},
    {"type": "track", "anonymousId": "kiosk", "userId": "u1", "event": "three", "messageId": "6"},
    {"type": "track", "anonymousId": "kiosk", "event": "four", "messageId": "7"},
)


@pytest.mark.parametrize("parts", [[7], [1] * 7, [1, 6], [2, 5], [4, 3]], ids=str)
def test_in_a_shared_browser_each_keeps_what_they_did_however_it_is_sent(send, parts):
    events = iter(KIOSK)
    for size in parts:
        batch(send, *(next(events) for _ in range(size)))
    batch(send, *KIOSK)

    assert sorted(acts(email="ada@example.com")) == ["four", "one", "page_view", "three"]
    assert acts(email="ben@example.com") == ["two"]
    assert not refused()


def test_a_browser_that_changes_hands_a_thousand_times_costs_no_thousand_turns(
    send, django_assert_max_num_queries
):
    events = [
        {"type": "identify", "anonymousId": "kiosk", "traits": (ADA, BEN)[n % 2], "messageId": f"{n}"}
        for n in range(1000)
    ]  # fmt: skip

    with django_assert_max_num_queries(400):
        batch(send, *events)

    assert Contact.objects.count() == 2


# --- known by another way -----------------------------------------------------------------------
def test_what_waits_for_a_user_is_theirs_once_a_file_or_the_crm_knows_them(send):
    send("track", userId="u1", event="one", timestamp=at(3))
    send("page", userId="u1", anonymousId="a1", timestamp=at(2))
    ada = a_contact(email="ada@example.com")
    take_contacts([{"email": "ada@example.com", "external_id": "u1"}], now())

    settle_visitors()

    assert acts(pk=ada.pk) == ["one", "page_view"]
    send("page", anonymousId="a1")
    assert len(acts(pk=ada.pk)) == 3


def test_a_user_whose_address_the_crm_tells_keeps_their_visits_and_is_found_by_it(send):
    send("page", anonymousId="a1")
    send("identify", anonymousId="a1", userId="u1")
    ada = Contact.objects.get(external_id="u1")

    change_addresses({ada.pk: "ada@example.com"}, now())
    send("track", userId="ada@example.com", event="later")

    assert acts(pk=ada.pk) == ["page_view", "later"]
    assert Contact.objects.count() == 1


# --- time ---------------------------------------------------------------------------------------
def test_what_nobody_claimed_goes_to_the_day_and_what_is_younger_stays(send, settings):
    settings.ANONYMOUS_DAYS = 90
    for name, days in (("old", 90), ("young", 89)):
        send("track", anonymousId="a1", event=name)
        WaitingActivity.objects.filter(type=name).update(received_at=at(days))
    Visitor.objects.update(created_at=at(200))
    prune_visitors(now() + timedelta(seconds=1))

    send("identify", anonymousId="a1", traits=ADA)

    assert acts(email="ada@example.com") == ["young"]


def test_ids_that_were_joined_go_together_once_nothing_waits_for_them(send):
    send("page", anonymousId="a1", userId="u1")
    send("alias", userId="u1", previousId="u2")
    Visitor.objects.update(created_at=at(200))
    WaitingActivity.objects.update(received_at=at(200))

    for _ in range(2):  # the id that the others are joined with goes last
        prune_visitors(now())

    assert not Visitor.objects.exists()


# --- the history --------------------------------------------------------------------------------
def test_the_history_leaps_where_the_acts_were_not_where_it_became_known(send):
    send("track", anonymousId="a1", event="demo_request", timestamp=at(24))
    send("page", anonymousId="a1", timestamp=at(10))
    send("identify", anonymousId="a1", traits=ADA)
    ada = Contact.objects.get()

    def total(days):
        return score_at(ada, now() - timedelta(days=days))[0].total

    assert [total(30), total(24.01)] == [0, 0]
    assert total(23.9) > 45 > total(11) > total(9) - 5 > 0
    assert total(9.9) > total(10.1)
    assert not [one for some in check_scores() for one in some]
    drawn = as_("Marketing").get(page("leadscoring.contact", ada.pk)).context["chart"]["dots"]
    assert [dot["point"].total > 0 for dot in drawn] == [True] * len(drawn)
    assert 4 <= len(drawn) <= 5  # it begins when the first of it happened


def test_what_joins_late_moves_the_score_as_if_it_had_come_in_time(send):
    ada = a_contact(email="ada@example.com", external_id="u1")
    send("track", userId="ada@example.com", event="demo_request", timestamp=at(2))
    before = ada.score.total
    Activity.objects.all().delete()
    ada.delete()

    send("track", userId="u1", event="demo_request", timestamp=at(2))
    ada = a_contact(email="ada@example.com", external_id="u1")
    join_late(now())

    assert ada.score.total == pytest.approx(before, abs=0.01)

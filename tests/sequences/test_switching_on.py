"""A sequence's pages: off at first, and a question about who fits its rule before it is on."""

import pytest
from django.test import Client

from sequences.models import EarlyFit, Enrollment, Sequence
from sequences.tasks import let_early_fits_in
from tests.admin_pages import act, as_, as_superuser, page
from tests.sequences.makers import a_contact, a_sequence
from tests.sequences.test_admin import form, save
from tests.sequences.test_early_fits import WARM, off, scored, worth

pytestmark = pytest.mark.django_db


def switch(client: Client, sequence: Sequence, **data: object) -> str:
    address = page("sequences.sequence", sequence.pk, "switch-on")
    return client.post(address, data, follow=True).content.decode()


def asked(client: Client, sequence: Sequence) -> str:
    pressed = {
        "action": "switch_on",
        "_selected_action": [sequence.pk],
        "from_page": "yes",
        "index": "0",
    }
    return client.post(page("sequences.sequence"), pressed, follow=True).content.decode()


def test_a_new_sequence_is_off_and_pauses_who_is_with_sales():
    client = as_("Marketing")
    shown = client.get(page("sequences.sequence") + "add/").content.decode()
    data = form(None, {}, enter_when='{"score__gte": 20}', pause_when_with_sales="on")

    told = client.post(page("sequences.sequence") + "add/", data, follow=True).content.decode()

    sequence = Sequence.objects.get()
    assert 'name="pause_when_with_sales"' in shown
    assert "checked" in shown.split('name="pause_when_with_sales"')[1].split(">")[0]
    assert (sequence.active, sequence.pause_when_with_sales) == (False, True)
    assert "It is switched off" in told
    assert "Switch on…" in told


def test_the_page_before_says_how_many_fit_and_changes_nothing():
    sequence = off()
    for _ in range(3):
        worth(50)

    told = asked(as_("Marketing"), sequence)

    assert "3 people fit now" in told
    assert not Sequence.objects.get().active
    assert not EarlyFit.objects.exists()


def test_more_than_a_page_counts_are_said_to_be_more(monkeypatch):
    monkeypatch.setattr("sequences.admin.sequences.LISTED", 2)
    sequence = off()
    for _ in range(3):
        worth(50)

    assert "more than 2 people fit now" in asked(as_("Marketing"), sequence)


@pytest.mark.parametrize(
    ("choice", "entered", "words"),
    [
        ({"way": "later"}, 0, "3 people fitted its rule before and do not enter"),
        ({"way": "all"}, 3, "<b>3 of 3</b>"),
        ({"way": "daily", "a_day": "2"}, 2, "2 a day"),
    ],
)
def test_what_was_chosen_happens_and_is_shown(choice: dict[str, object], entered: int, words: str):
    sequence, client = off(), as_("Marketing")
    for _ in range(3):
        worth(50)

    said = switch(client, sequence, **choice)
    for _ in range(3):
        let_early_fits_in()

    assert f"{sequence} is on" in said
    assert Enrollment.objects.count() == entered
    assert words in client.get(page("sequences.sequence", sequence.pk)).content.decode()


@pytest.mark.parametrize("a_day", ["", "0", "-3", "many", "1e9"])
def test_so_many_a_day_wants_a_number(a_day: str):
    sequence = off()
    worth(50)

    said = switch(as_("Marketing"), sequence, way="daily", a_day=a_day)

    assert "ls-error" in said
    assert not Sequence.objects.get(pk=sequence.pk).active


def test_a_rule_that_waits_for_an_activity_and_none_at_all_ask_nothing():
    client = as_("Marketing")

    assert "nobody fits yet" in asked(client, off(enter_when={"activity": "webinar"}))
    assert "people enter by hand" in asked(client, off(enter_when={}))


def test_a_sequence_without_mails_is_not_switched_on():
    sequence = Sequence.objects.create(name="empty", active=False)

    said = asked(as_("Marketing"), sequence)

    assert "Write its first mail" in said
    assert not Sequence.objects.get().active


def test_whoever_may_only_look_switches_nothing():
    sequence, client = off(), as_("Operations")

    answer = client.post(page("sequences.sequence", sequence.pk, "switch-on"), {"way": "all"})
    act(client, "sequences.sequence", "switch_off", a_sequence().pk)

    assert answer.status_code == 403
    assert sorted(Sequence.objects.values_list("active", flat=True)) == [False, True]


def test_switching_off_leaves_people_where_they_are():
    sequence = off()
    worth(50)
    switch(as_superuser(), sequence, way="later")

    said = act(as_("Marketing"), "sequences.sequence", "switch_off", sequence.pk)

    assert "1 switched off" in said
    assert not Sequence.objects.get().active
    assert not EarlyFit.objects.exists()


def test_an_edited_rule_asks_about_those_who_fit_it_now():
    sequence, client = a_sequence(enter_when={"score__gte": 90}), as_("Marketing")
    steps: list[dict[str, object]] = [
        {"id": step.pk, "position": step.position} for step in sequence.steps.all()
    ]
    contact = worth(50)

    told = save(client, sequence, *steps, enter_when='{"score__gte": 20}')
    scored(contact)

    assert "1 person fits now" in told
    assert not Enrollment.objects.exists()


def test_an_edited_text_asks_nothing():
    sequence = a_sequence(enter_when=WARM)
    steps: list[dict[str, object]] = [
        {"id": step.pk, "position": step.position} for step in sequence.steps.all()
    ]
    worth(50)

    told = save(as_("Marketing"), sequence, *steps, enter_when='{"score__gte": 20}')

    assert "fits now" not in told
    assert not EarlyFit.objects.exists()


def test_who_was_left_out_is_let_in_later():
    sequence, client = off(), as_("Marketing")
    contact = worth(50)
    switch(client, sequence, way="later")

    offered = client.get(page("sequences.sequence", sequence.pk)).content.decode()
    switch(client, sequence, way="all")
    let_early_fits_in()

    assert "Let in who fitted before…" in offered
    assert Enrollment.objects.get().contact == contact


def test_people_are_still_enrolled_by_hand_only_where_it_is_on():
    off(name="not yet")
    contact = a_contact()

    assert "not yet" not in act(
        as_("Marketing"), "leadscoring.contact", "enroll_action", contact.pk
    )

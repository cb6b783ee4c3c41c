"""The button that gives the open tasks of a rep to others, and what the pages say of it."""

import re
from html import unescape

import pytest

from crm_sync import tasks
from crm_sync.models import Handoff, Reassignment
from leadscoring.models import CrmState
from tests.admin_pages import HOSTILE, act, as_, as_one_who_may, page
from tests.crm_sync.makers import MONDAY, a_delivered, a_rep

pytestmark = pytest.mark.django_db
State = Reassignment.State


@pytest.fixture
def reps():
    """Ann, who has three open tasks and is away; Bob and Cid, who are there; Dee, who has left."""
    ann = a_rep("1", name="Ann", away_from="2020-01-01")
    for _ in range(3):
        a_delivered(MONDAY)
    a_delivered(MONDAY, state="done")
    return ann, a_rep("2", name="Bob"), a_rep("3", name="Cid"), a_rep("4", name="Dee", active=False)


def words(html):
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", html).split()))


def read(client, address):
    return words(client.get(address).content.decode())


def test_a_rep_with_open_tasks_has_the_button_and_others_have_not(reps):
    ann, bob, *_ = reps
    marketing = as_("Marketing")

    anns, bobs = (read(marketing, page("crm_sync.owner", rep.pk)) for rep in (ann, bob))

    assert "3 open tasks" in anns
    assert "Give open tasks to others…" in anns
    assert "Give open tasks to others…" not in bobs


def test_it_asks_first_and_says_who_would_get_how_many(reps):
    ann, *_ = reps

    told = words(act(as_("Marketing"), "crm_sync.owner", "give_tasks", ann.pk, from_page="yes"))

    assert "Give open tasks to others: 1 rep" in told
    assert "Ann: 3 open tasks" in told
    assert "To whom By the routing rules: Bob 2, Cid 1 All to Bob All to Cid Give them" in told
    assert "so does the contact's owner" in told
    assert not Reassignment.objects.exists()


def test_whom_the_contact_belongs_to_is_foreseen_but_never_the_giver(reps):
    ann, *_ = reps
    for row, owner_id in zip(Handoff.objects.order_by("pk"), "133", strict=False):
        CrmState.objects.create(
            contact=row.contact, owner_id=owner_id, since=MONDAY, seen_at=MONDAY
        )

    told = words(act(as_("Marketing"), "crm_sync.owner", "give_tasks", ann.pk))

    assert "By the routing rules: Cid 2, Bob 1" in told


@pytest.mark.parametrize(("choice", "to"), [("rules", ""), ("3", "3")])
def test_once_confirmed_a_worker_is_woken_for_each_open_task(
    reps, monkeypatch, django_capture_on_commit_callbacks, choice, to
):
    woken: list[str] = []
    monkeypatch.setattr("crm_sync.admin.task_giving.send_next_turn", woken.append)

    with django_capture_on_commit_callbacks(execute=True):
        told = act(
            as_("Marketing"),
            "crm_sync.owner",
            "give_tasks",
            reps[0].pk,
            confirmed="yes",
            choice=choice,
        )

    assert "3 open tasks on the way to others." in told
    asked = Reassignment.objects.values_list("from_owner_id", "to_owner_id", "asked_by", "state")
    assert list(asked) == [("1", to, "Marketing", "waiting")] * 3
    assert woken == [tasks.give_tasks.name]


@pytest.mark.parametrize("choice", ["", "1", "4", "nobody"])
def test_only_a_rep_who_is_there_can_be_chosen(reps, choice):
    told = act(
        as_("Marketing"), "crm_sync.owner", "give_tasks", reps[0].pk, confirmed="yes", choice=choice
    )

    assert "Choose one first." in told
    assert not Reassignment.objects.exists()


def test_pressed_twice_it_gives_once(reps):
    client = as_("Marketing")
    for _ in range(2):
        told = act(
            client, "crm_sync.owner", "give_tasks", reps[0].pk, confirmed="yes", choice="rules"
        )

    assert "There are no open tasks to give." in told
    assert Reassignment.objects.count() == 3


def test_who_may_only_look_has_no_button(reps):
    looker = as_one_who_may("crm_sync.view_owner")

    assert "Give open tasks" not in read(looker, page("crm_sync.owner", reps[0].pk))
    act(looker, "crm_sync.owner", "give_tasks", reps[0].pk, confirmed="yes", choice="rules")
    assert not Reassignment.objects.exists()


def test_the_reps_page_says_how_it_went(reps):
    rows = list(Handoff.objects.order_by("pk"))
    went = [
        (State.GIVEN, "2", ""),
        (State.GIVEN, "2", ""),
        (State.GIVEN, "3", ""),
        (State.DONE, "3", ""),
    ]
    for row, (state, to, reason) in zip(rows, went, strict=True):
        settled(row, state, to, reason)
    settled(rows[0], State.FAILED, "", "Nobody may take it.")
    settled(rows[1], State.WAITING, "2", "HubSpot asks us to slow down.")

    told = read(as_("Marketing"), page("crm_sync.owner", reps[0].pk))

    assert (
        "2026-05-04 10:00 UTC by anna: 3 given to others (Bob 2; Cid 1), 1 done meanwhile, "
        "1 not given (Nobody may take it), 1 on the way (HubSpot asks us to slow down)."
    ) in told


def settled(row, state, to, reason=""):
    return Reassignment.objects.create(
        handoff=row, from_owner_id="1", to_owner_id=to, owner_reason="next in turn" if to else "",
        asked_by="anna", asked_at=MONDAY, due_at=MONDAY, state=state, reason=reason,
        settled_at=None if state == State.WAITING else MONDAY,
    )  # fmt: skip


def test_the_handoffs_page_says_who_had_it_and_who_has_it(reps):
    row = Handoff.objects.first()
    Handoff.objects.filter(pk=row.pk).update(owner_id="2", owner_reason="next in turn")
    settled(row, State.GIVEN, "2")

    told = read(as_("Marketing"), page("crm_sync.handoff", row.pk))

    assert "Rep chosen Ann Task announced" in told
    assert "Given by anna from Ann to others Given – Bob: next in turn" in told


def test_no_name_is_mark_up(reps):
    ann, bob, *_ = reps
    bob.name = HOSTILE
    bob.save()

    html = act(as_("Marketing"), "crm_sync.owner", "give_tasks", ann.pk)

    assert "<script>alert(1)" not in html

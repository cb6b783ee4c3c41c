"""A rule that is switched on: who fits already enters as a person chose, who begins to fit later at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from leadscoring.models import Contact, Lifecycle, ModelVersion, Score
from leadscoring.signals import people_scored
from sequences import early_fits
from sequences.apply_file import apply_sequence
from sequences.conditions import conditions_hold
from sequences.early_fits import ALL, FROM_NOW_ON, EarlyFitCounts, let_in, people_who_fit, switch_on
from sequences.entry_rules import _entry_facts
from sequences.models import EarlyFit, Enrollment, Sequence, Suppression
from sequences.sequence_file import SequenceDefinition
from sequences.suppression import suppress_addresses
from sequences.tasks import let_early_fits_in
from tests.sequences.makers import DAY, NOON, a_contact, a_sequence, again, an_enrollment, crm_says

pytestmark = pytest.mark.django_db
WARM = {"score__gte": 20}
MINUTE = timedelta(minutes=1)


def worth(total: float, contact: Contact | None = None) -> Contact:
    """A person who was scored, so long ago that no signal was heard."""
    contact = contact or a_contact()
    Score.objects.update_or_create(
        contact=contact,
        defaults={"model": ModelVersion.objects.earliest("pk"), "at": NOON, "total": total,
                  "fit": 0.0, "engagement": total, "grade": "D1"},
    )  # fmt: skip
    return contact


def scored(*contacts: Contact) -> None:
    ids = {contact.pk for contact in contacts}
    people_scored.send(None, contact_ids=ids, at=NOON, types={})


def off(**fields: Any) -> Sequence:
    given: dict[str, Any] = {"active": False, "enter_when": WARM}
    return a_sequence(**(given | fields))


def entered(sequence: Sequence) -> list[Contact]:
    return [row.contact for row in Enrollment.objects.filter(sequence=sequence).order_by("pk")]


def all_in(at=NOON) -> None:
    while let_in(at):
        pass


# --- who fits


def test_the_query_finds_whom_the_rule_would_let_in():
    random = Random(3)
    people = []
    for _ in range(60):
        contact = a_contact(lifecycle_stage=random.choice(Lifecycle.values))
        people.append(contact)
        if random.random() < 0.8:
            worth(random.choice([0, 19.99, 20, 20.01, 55]), contact)
            Score.objects.filter(contact=contact).update(
                grade=random.choice(["A1", "A2", "D4"]), fit=random.choice([0.0, 30.0])
            )
    facts = _entry_facts([person.pk for person in people])

    for rule in (
        {"score__gte": 20},
        {"score__gt": 20, "fit__lt": 30},
        {"grade__in": ["A1", "A2"]},
        {"lifecycle__in": ["lead", "customer"]},
        {"score__lte": 20, "grade__in": ["D4"], "lifecycle__in": ["mql", "customer"]},
    ):
        sequence = off(enter_when=rule)
        wanted = {pk for pk, known in facts.items() if conditions_hold(rule, known, ())}
        assert wanted, rule
        assert {person.pk for person in people_who_fit(sequence)} == wanted


@pytest.mark.parametrize("rule", [{}, {"activity": "webinar"}, {"activity": "x", "score__gte": 1}])
def test_nobody_fits_without_a_rule_or_before_they_act(rule: dict[str, object]):
    worth(50)

    assert not people_who_fit(off(enter_when=rule)).exists()


# --- from now on


def test_from_now_on_leaves_out_who_fits_already_whenever_they_are_scored():
    sequence, early = off(), worth(50)

    switch_on(sequence, FROM_NOW_ON, NOON)
    worth(60, early)
    scored(early)
    all_in()

    assert entered(sequence) == []
    assert early_fits.count_early_fits(again_(sequence)) == EarlyFitCounts(1, 0, 0, 0)


def again_(sequence: Sequence) -> Sequence:
    return Sequence.objects.get(pk=sequence.pk)


def test_from_now_on_lets_in_who_begins_to_fit():
    sequence, late = off(), worth(10)
    switch_on(sequence, FROM_NOW_ON, NOON)

    worth(30, late)
    scored(late)

    assert entered(sequence) == [late]


def test_who_stops_fitting_and_fits_again_enters():
    sequence, contact = off(), worth(50)
    switch_on(sequence, FROM_NOW_ON, NOON)

    for total in (10, 30):
        worth(total, contact)
        scored(contact)

    assert entered(sequence) == [contact]


# --- all


def test_all_enter_at_once_and_only_once():
    sequence = off()
    people = [worth(50) for _ in range(5)]
    worth(10)

    switch_on(sequence, ALL, NOON)
    scored(*people)
    all_in()
    scored(*people)

    assert sorted(one.pk for one in entered(sequence)) == [one.pk for one in people]
    assert early_fits.count_early_fits(again_(sequence)) == EarlyFitCounts(0, 5, 0, FROM_NOW_ON)
    assert not let_in(NOON)


def test_a_worker_is_woken_and_its_task_lets_them_in(django_capture_on_commit_callbacks):
    sequence, contact = off(), worth(50)
    with django_capture_on_commit_callbacks() as rung:
        switch_on(sequence, ALL, NOON)

    let_early_fits_in()

    assert len(rung) == 1
    assert entered(sequence) == [contact]


def test_who_must_not_be_written_to_is_counted_and_ends_nothing():
    sequence = off()
    unsubscribed, sold, able = worth(90), worth(80), worth(50)
    suppress_addresses([unsubscribed.email], Suppression.Reason.BY_HAND, NOON, by="ada")
    crm_says(sold, "stop")

    switch_on(sequence, ALL, NOON)
    all_in()

    assert entered(sequence) == [able]
    assert early_fits.count_early_fits(again_(sequence)) == EarlyFitCounts(0, 1, 2, FROM_NOW_ON)


def test_who_was_in_it_before_does_not_enter_again():
    sequence, contact = off(active=True), worth(50)
    an_enrollment(contact, sequence)
    Sequence.objects.update(active=False)

    switch_on(sequence, ALL, NOON)
    all_in()

    assert entered(sequence) == [contact]


def test_a_score_that_was_being_stored_meanwhile_is_found_in_the_end():
    sequence, first = off(), worth(50)
    switch_on(sequence, ALL, NOON)

    unheard = worth(40)
    all_in()

    assert entered(sequence) == [first, unheard]


def test_more_people_than_go_together_all_enter(monkeypatch):
    monkeypatch.setattr(early_fits, "TOGETHER", 2)
    sequence = off()
    for _ in range(5):
        worth(50)

    switch_on(sequence, ALL, NOON)
    turns = [let_in(NOON) for _ in range(4)]

    assert turns == [True, True, True, False]
    assert len(entered(sequence)) == 5


# --- so many a day


def test_so_many_a_day_enter_the_highest_score_first():
    sequence = off()
    cold, hot, warm = worth(21), worth(90), worth(50)
    oldest_of_equals = worth(21)

    switch_on(sequence, 2, NOON)
    all_in(NOON + MINUTE)
    first_day = entered(sequence)
    all_in(NOON + DAY - MINUTE)
    same_day = len(entered(sequence))
    all_in(NOON + DAY)

    assert (first_day, same_day) == ([hot, warm], 2)
    assert entered(sequence)[2:] == [cold, oldest_of_equals]


def test_days_without_a_worker_are_not_caught_up():
    sequence = off()
    for _ in range(9):
        worth(50)
    switch_on(sequence, 2, NOON)
    all_in(NOON + MINUTE)

    all_in(NOON + 3 * DAY)
    all_in(NOON + 3 * DAY + MINUTE)

    assert len(entered(sequence)) == 4
    assert early_fits.count_early_fits(again_(sequence)) == EarlyFitCounts(5, 4, 0, 2)


def test_who_begins_to_fit_meanwhile_enters_besides():
    sequence = off()
    for _ in range(3):
        worth(50)
    switch_on(sequence, 1, NOON)
    all_in()

    late = worth(30)
    scored(late)

    assert len(entered(sequence)) == 2
    assert late in entered(sequence)


def test_who_stops_fitting_while_they_wait_is_left_out():
    sequence = off()
    hot, gone, unheard = worth(90), worth(50), worth(40)
    switch_on(sequence, 1, NOON)
    all_in()

    worth(5, gone)
    scored(gone)
    worth(5, unheard)  # found at their turn
    all_in(NOON + DAY)

    assert entered(sequence) == [hot]
    assert early_fits.count_early_fits(again_(sequence)) == EarlyFitCounts(0, 1, 0, FROM_NOW_ON)


# --- off, on again, another rule


def test_a_sequence_that_is_switched_off_lets_nobody_in_and_asks_again():
    sequence = off()
    people = [worth(90), worth(50), worth(40)]
    switch_on(sequence, 1, NOON)
    all_in()

    early_fits.switch_off(Sequence.objects.all())
    all_in(NOON + DAY)
    while_off = (len(entered(sequence)), EarlyFit.objects.count())
    worth(10, people[1])
    scored(people[1])
    switch_on(again_(sequence), FROM_NOW_ON, NOON + DAY)
    worth(30, people[1])
    scored(*people)

    assert while_off == (1, 0)
    assert entered(sequence) == people[:2]  # one who began to fit, none who fitted already


def test_who_fits_an_edited_rule_already_does_not_enter_before_a_person_says_so(
    django_capture_on_commit_callbacks,
):
    sequence = off()
    warm, cool = worth(50), worth(10)
    switch_on(sequence, 5, NOON)

    sequence = again_(sequence)
    sequence.enter_when = {"score__lte": 20}
    sequence.save()
    with django_capture_on_commit_callbacks(execute=True):
        early_fits.follow_new_rule(sequence)
    all_in()
    scored(warm, cool)
    nobody = entered(sequence)
    switch_on(sequence, ALL, NOON)
    all_in()

    assert (nobody, entered(sequence)) == ([], [cool])


def test_a_rule_that_a_file_changes_lets_people_in_as_they_are_scored():
    sequence, contact = off(), worth(50)
    switch_on(sequence, FROM_NOW_ON, NOON)

    apply_sequence(SequenceDefinition(sequence.name, {"score__gte": 30}, ()), NOON)
    Sequence.objects.get().steps.create(position=1, wait=DAY, subject="Hi", body="Hi")
    scored(contact)

    assert entered(sequence) == [contact]


# --- many at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("a_day", "wanted"), [(ALL, 30), (7, 7)])
def test_several_workers_at_once_let_each_in_once_and_no_more_than_were_said(
    a_day: int | None, wanted: int, monkeypatch
):
    monkeypatch.setattr(early_fits, "TOGETHER", 3)
    sequence = off()
    people = [worth(50) for _ in range(30)]
    switch_on(sequence, a_day, NOON)

    def work(number: int) -> None:
        try:
            for _ in range(20):
                let_in(NOON)
                with transaction.atomic():  # as scoring does it
                    scored(Contact.objects.select_for_update().get(pk=people[number].pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    all_in()

    found = entered(sequence)
    assert len(found) == len(set(found)) == wanted


def test_scoring_asks_once_for_all_people_whether_they_fitted_before():
    sequence = off()
    few, many = [worth(50)], [worth(50) for _ in range(20)]
    switch_on(sequence, FROM_NOW_ON, NOON)
    costs = []
    for people in (few, many):
        with CaptureQueriesContext(connection) as said:
            scored(*people)
        costs.append(len(said))

    assert costs == [3, 3]
    assert again(an_enrollment()).pk

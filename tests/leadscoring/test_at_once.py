"""Several batches at once: nobody and nothing twice, nothing lost, and no batch fails."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from leadscoring.intake import take_activities, take_contacts
from leadscoring.models import Activity, Company, Contact, Score
from tests.makers import NOON, a_contact

pytestmark = pytest.mark.django_db(transaction=True)

BATCHES = 4


@pytest.fixture(autouse=True)
def model(django_db_serialized_rollback):
    """The starting model, which other tests' clearing of tables took away."""


def at_once(*works):
    """The answers of works that begin at the same moment, each on a connection of its own."""
    gate = Barrier(len(works))

    def run(work):
        try:
            gate.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def views(*numbers, **fields):
    return [
        {"email": f"p{n}@example.com", "type": "page_view", "event_id": f"e{n}", **fields}
        for n in numbers
    ]


def test_the_same_new_people_in_several_batches_are_made_once():
    people = [{"email": f"p{n}@example.com", "company": f"C{n % 7}"} for n in range(200)]
    orders = [people, people[::-1], people[100:] + people[:100], people[::2] + people[1::2]]

    taken = at_once(*[lambda order=order: take_contacts(order, NOON) for order in orders])

    assert sum(one.created for one in taken) == Contact.objects.count() == 200
    assert sum(one.unchanged for one in taken) == 600
    assert Company.objects.count() == 7


def test_the_same_events_in_several_batches_are_stored_once():
    events = views(*range(200))

    taken = at_once(
        *[lambda n=n: take_activities(events[:: (-1) ** n], "web", NOON) for n in range(BATCHES)]
    )

    assert sum(one.accepted for one in taken) == Activity.objects.count() == 200
    assert sum(one.duplicates for one in taken) == 600


def test_one_event_given_to_two_people_at_once_is_one_persons():
    taken = at_once(
        *[
            lambda n=n: take_activities(views(n, event_id="same"), "web", NOON)
            for n in range(BATCHES)
        ]
    )

    assert sum(one.accepted for one in taken) == Activity.objects.count() == 1


def test_different_events_of_one_person_all_count():
    ada = a_contact(email="ada@example.com")

    at_once(
        *[
            lambda n=n: take_activities(
                views(n, email="ada@example.com", type=f"kind_{n}"), "web", NOON
            )
            for n in range(BATCHES)
        ],
        lambda: take_contacts([{"email": "ada@example.com", "job_title": "CEO"}], NOON),
    )

    ada.refresh_from_db()
    assert (ada.activities.count(), ada.job_title) == (BATCHES, "CEO")
    assert Score.objects.get(contact=ada).fit > 0


def test_two_who_want_the_same_address_do_not_both_get_it():
    a_contact(email="a@example.com", external_id="1")
    a_contact(email="b@example.com", external_id="2")

    taken = at_once(
        *[
            lambda n=n: take_contacts([{"external_id": n, "email": "new@example.com"}], NOON)
            for n in ("1", "2")
        ]
    )

    assert sorted(one.updated for one in taken) == [0, 1]
    assert sorted(len(one.rejected) for one in taken) == [0, 1]

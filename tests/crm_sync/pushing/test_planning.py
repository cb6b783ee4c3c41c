"""What a push would send, told before anything is sent, and kept when it is."""

from datetime import timedelta

import pytest

from crm_sync.models import FieldMapping, Handoff, Link
from crm_sync.push.batch import push_due
from crm_sync.push.plan import SHOWN, TOLD_BEFORE, WITH_A_HANDOFF, plan_push
from leadscoring.models import Contact
from tests.crm_sync.makers import MONDAY, a_contact, a_handoff, a_score
from tests.crm_sync.reading import a_linked

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(hours=1)


@pytest.fixture
def ada(crm, there):
    contact, record_id = a_linked(crm, there, "ada@engines.example")
    Contact.objects.filter(pk=contact.pk).update(first_name="Ada", job_title="Dev")
    a_score(contact)
    return contact, record_id


def planned(crm, at=LATER):
    """The one person's changes by property."""
    return {change.property: change for change in plan_push(crm, at).people[0].changes}


def test_what_is_planned_is_what_a_push_then_writes(crm, there, ada):
    there.set(ada[1], jobtitle="VP Engineering", lead_grade="D4")

    told = planned(crm)
    push_due(crm, LATER)

    assert {name: there.value(ada[1], name) for name in told} == {
        name: change.after for name, change in told.items()
    }
    assert told["lead_score"].after == "82"


@pytest.mark.parametrize(
    ("property_", "why"),
    [
        ("jobtitle", "somebody in the CRM wrote it"),
        ("phone", "we know nothing to say"),
        ("email", "it says so already"),
        ("lifecyclestage", "it stands as far there, or further"),
        ("hs_lead_status", WITH_A_HANDOFF),
    ],
)
def test_what_is_left_alone_says_why(crm, there, ada, property_, why):
    there.set(ada[1], jobtitle="VP Engineering", lifecyclestage="customer")

    assert planned(crm)[property_].left_alone == why


def test_what_we_wrote_and_somebody_changed_waits_until_it_changes_here(crm, there, ada):
    push_due(crm, LATER)
    there.set(ada[1], lead_grade="D4")

    change = planned(crm, LATER + timedelta(hours=1))["lead_grade"]

    assert (change.before, change.left_alone) == ("D4", TOLD_BEFORE)


def test_what_comes_from_the_crm_is_told_as_not_sent(crm, there, ada):
    FieldMapping.objects.filter(source="job_title").update(direction="in", policy="theirs_wins")

    assert planned(crm)["jobtitle"].left_alone == "it comes from the CRM and is not sent"


def test_those_handed_off_last_come_first_then_the_hottest(crm, there):
    people = [a_linked(crm, there)[0] for _ in range(SHOWN + 2)]
    for place, contact in enumerate(people):
        a_score(contact, total=50 + place)
    for place, contact in enumerate(people[:2]):
        a_handoff(
            contact,
            status=Handoff.Status.DELIVERED,
            delivered_at=MONDAY + timedelta(minutes=place),
            record_id="1",
            task_id=f"t{place}",
            task_tried_at=MONDAY,
            owner_id="1",
        )

    shown = [person.contact.pk for person in plan_push(crm, LATER).people]

    assert shown == [people[1].pk, people[0].pk, *(one.pk for one in people[:3:-1])]


def test_a_record_that_is_gone_gets_nothing(crm, there, ada):
    there.archive(ada[1])

    person = plan_push(crm, LATER).people[0]

    assert (person.writes, person.problem) == (0, "the CRM has no such record any more")


def test_a_full_push_takes_two_requests_for_each_hundred_people(crm, there):
    for number in range(101):
        contact = a_contact()
        a_score(contact)
        Link.objects.create(contact=contact, account_id="1", record_id=f"r{number}", seen_at=MONDAY)

    told = plan_push(crm, LATER)

    assert (told.linked, told.cost) == (101, 4)


def test_the_figure_of_a_full_push_is_what_it_takes(crm, there):
    for _ in range(3):
        a_score(a_linked(crm, there)[0])
    calls = plan_push(crm, LATER).cost
    push_due(crm, MONDAY)  # the account is asked for once
    Link.objects.update(last_written={})
    Contact.objects.update(updated_at=LATER, first_name="New")
    there.sandbox.state.log.clear()

    push_due(crm, LATER + timedelta(hours=1))

    assert len(there.sandbox.state.log) == calls == 2


def test_looking_costs_the_crm_one_request(crm, there, ada):
    there.sandbox.state.log.clear()

    plan_push(crm, LATER)

    assert len(there.sandbox.state.log) == 1


def test_with_the_crm_away_it_says_so_and_keeps_the_figures(crm, there, ada):
    there.revoke()

    told = plan_push(crm, LATER)

    assert told.error
    assert (told.linked, told.cost, told.people) == (1, 2, [])

"""What sales writes in the CRM becomes ours, where the mapping says so, and our own word never does."""

from datetime import timedelta

import pytest

from crm_sync.account import check_account
from crm_sync.audit import run_audit
from crm_sync.models import FieldMapping, Link
from crm_sync.pull.apply import apply_snapshot
from crm_sync.pull.fetch import fetch_snapshot
from crm_sync.push.batch import push_due
from leadscoring.intake.people import record_profile_changes
from leadscoring.models import Contact, ProfileChange, Score
from leadscoring.scoring import rescore_locked
from tests.crm_sync.makers import MONDAY, a_contact, a_score
from tests.crm_sync.reading import a_linked

pytestmark = pytest.mark.django_db
LATER = MONDAY + timedelta(hours=1)
TITLE = "VP Engineering"


@pytest.fixture
def ada(crm, there):
    """Somebody linked, known since Monday, and their record's id."""
    contact, record_id = a_linked(crm, there, "ada@engines.example")
    Contact.objects.filter(pk=contact.pk).update(job_title="Dev", updated_at=MONDAY)
    record_profile_changes([Contact.objects.get(pk=contact.pk)], MONDAY)
    return contact, record_id


def mapped(source="job_title", policy="theirs_wins", direction="both", property_="jobtitle"):
    FieldMapping.objects.filter(source=source).delete()
    FieldMapping.objects.create(
        source=source, property=property_, policy=policy, direction=direction
    )


def last_written(ada, **properties):
    """As if we had written this there."""
    Link.objects.filter(contact=ada[0]).update(last_written=properties)


def looked(crm, ada, at=LATER):
    apply_snapshot(crm, check_account(crm, at), fetch_snapshot(crm, [ada[0].pk]), at)
    return Contact.objects.get(pk=ada[0].pk)


def test_what_a_rep_wrote_becomes_ours(crm, there, ada):
    mapped()
    there.set(ada[1], jobtitle=TITLE)

    assert looked(crm, ada).job_title == TITLE


def test_it_is_a_change_of_the_profile_with_its_time_and_is_scored(crm, there, ada):
    mapped()
    rescore_locked([ada[0].pk], MONDAY)
    before = Score.objects.get(contact=ada[0]).fit
    there.set(ada[1], jobtitle=TITLE)

    looked(crm, ada)

    change = ProfileChange.objects.filter(contact=ada[0]).latest("at")
    assert (change.at, change.fields["job_title"]) == (LATER, TITLE)
    assert Score.objects.get(contact=ada[0]).fit > before


@pytest.mark.parametrize(
    ("policy", "ours", "theirs", "becomes"),
    [
        ("theirs_wins", "Dev", TITLE, TITLE),
        ("theirs_wins", "", TITLE, TITLE),
        ("theirs_wins", "Dev", "", "Dev"),  # what they do not know clears nothing
        ("when_empty", "Dev", TITLE, "Dev"),
        ("when_empty", "", TITLE, TITLE),
    ],
)
@pytest.mark.parametrize("direction", ["in", "both"])
def test_policies(crm, there, ada, direction, policy, ours, theirs, becomes):
    mapped(policy=policy, direction=direction)
    Contact.objects.filter(pk=ada[0].pk).update(job_title=ours)
    there.set(ada[1], jobtitle=theirs)

    assert looked(crm, ada).job_title == becomes


def test_what_is_only_sent_is_not_taken(crm, there, ada):
    there.set(ada[1], jobtitle=TITLE)

    assert looked(crm, ada).job_title == "Dev"


def test_our_own_word_coming_back_changes_nothing(crm, there, ada):
    mapped()
    there.set(ada[1], jobtitle="Developer")
    last_written(ada, jobtitle="Developer")

    assert looked(crm, ada).job_title == "Dev"


def test_what_was_written_while_it_was_read_is_left_for_the_next_look(crm, there, ada):
    mapped()
    there.set(ada[1], jobtitle="Read before we wrote")
    found = fetch_snapshot(crm, [ada[0].pk])
    last_written(ada, jobtitle="Dev")

    apply_snapshot(crm, check_account(crm, LATER), found, LATER)

    assert Contact.objects.get(pk=ada[0].pk).job_title == "Dev"


@pytest.mark.parametrize("hostile", ["x" * 201, "a\x07b", "line\nline"])
def test_what_may_not_come_in_elsewhere_does_not_come_in_here(crm, there, ada, hostile):
    mapped()
    there.set(ada[1], jobtitle=hostile)

    assert looked(crm, ada).job_title == "Dev"


def test_it_settles_and_neither_side_writes_again(crm, there, ada):
    mapped()
    there.set(ada[1], jobtitle=TITLE)
    looked(crm, ada)
    for hour in (2, 3):
        push_due(crm, MONDAY + timedelta(hours=hour))
        looked(crm, ada, MONDAY + timedelta(hours=hour, minutes=30))
    changes = ProfileChange.objects.filter(contact=ada[0]).count()
    there.sandbox.state.log.clear()

    push_due(crm, MONDAY + timedelta(hours=4))
    looked(crm, ada, MONDAY + timedelta(hours=5))

    assert not [each for each in there.sandbox.state.log if "update" in each["path"]]
    assert ProfileChange.objects.filter(contact=ada[0]).count() == changes
    assert there.value(ada[1], "jobtitle") == TITLE


def test_a_rep_who_goes_back_to_what_we_once_wrote_keeps_it(crm, there, ada):
    mapped()
    a_score(ada[0])
    push_due(crm, LATER)
    for hours, said in ((1, "CEO"), (2, "Dev")):
        there.set(ada[1], jobtitle=said)
        looked(crm, ada, LATER + timedelta(hours=hours))
        push_due(crm, LATER + timedelta(hours=hours, minutes=30))

    Contact.objects.filter(pk=ada[0].pk).update(updated_at=LATER + timedelta(hours=3))
    push_due(crm, LATER + timedelta(hours=4))

    assert Contact.objects.get(pk=ada[0].pk).job_title == "Dev"
    assert there.value(ada[1], "jobtitle") == "Dev"


def test_where_theirs_wins_we_write_only_what_nobody_there_wrote(crm, there, ada):
    mapped()
    a_score(ada[0])
    push_due(crm, LATER)
    ours = there.value(ada[1], "jobtitle")
    there.set(ada[1], jobtitle=TITLE)
    Contact.objects.filter(pk=ada[0].pk).update(
        job_title="Intern", updated_at=LATER + timedelta(hours=1)
    )

    push_due(crm, LATER + timedelta(hours=2))

    assert (ours, there.value(ada[1], "jobtitle")) == ("Dev", TITLE)


def test_a_further_lifecycle_stage_comes_only_where_the_mapping_lets_it(crm, there, ada):
    there.set(ada[1], lifecyclestage="opportunity")
    FieldMapping.objects.filter(source="lifecycle_stage").update(direction="out")
    before = looked(crm, ada).lifecycle_stage
    FieldMapping.objects.filter(source="lifecycle_stage").update(direction="both")

    after = looked(crm, ada, LATER + timedelta(hours=1)).lifecycle_stage

    assert (before, after) == ("lead", "opportunity")


def test_the_audit_tells_it_among_what_is_read_and_not_among_what_is_sent(crm):
    mapped("country", direction="in", property_="country")

    told = run_audit(crm, LATER)

    assert "country" in [each["name"] for each in told.read if each["record"] == "contact"]
    assert "country" not in [each["name"] for each in told.sent]


def test_it_costs_as_many_queries_for_many_people(crm, there, django_assert_max_num_queries):
    mapped()
    people = [a_linked(crm, there) for _ in range(6)]
    for _, record_id in people:
        there.set(record_id, jobtitle=TITLE)
    account, ids = check_account(crm, LATER), [contact.pk for contact, _ in people]
    found = fetch_snapshot(crm, ids)

    with django_assert_max_num_queries(50):
        apply_snapshot(crm, account, found, LATER)

    assert set(Contact.objects.filter(pk__in=ids).values_list("job_title", flat=True)) == {TITLE}


def test_somebody_met_for_the_first_time_brings_what_is_known_there(crm, there):
    mapped()
    contact = a_contact("new@lead.example")
    there.set(there.add_contact("new@lead.example"), jobtitle=TITLE)

    assert looked(crm, (contact, "")).job_title == TITLE

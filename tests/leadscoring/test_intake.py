"""People and activities come in: checked, stored once and scored, or refused with field and reason."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leadscoring.intake import take_activities, take_contacts
from leadscoring.models import Activity, Company, Contact, ProfileChange, Score
from tests.makers import NOON, a_contact, an_activity

pytestmark = pytest.mark.django_db


def view(**fields):
    return {"email": "ada@example.com", "type": "page_view", "event_id": "e1", **fields}


def take(*items, at=NOON):
    return take_contacts(items, at)


def did(*items, at=NOON):
    return take_activities(items, "tests", at)


def counts(taken):
    return taken.created, taken.updated, taken.unchanged


# --- people -----------------------------------------------------------------------------------
def test_an_unknown_person_is_created_and_scored():
    taken = take({"email": "Ada@Example.com", "first_name": "Ada", "company": "Alder"})

    ada = Contact.objects.get()
    assert counts(taken) == (1, 0, 0)
    assert (ada.email, ada.first_name, ada.company.name) == ("ada@example.com", "Ada", "Alder")
    assert ada.score.at == NOON


def test_a_known_person_is_brought_up_to_date_and_what_was_not_said_stays():
    ada = a_contact(email="ada@example.com", first_name="Ada", phone="1")

    taken = take({"email": "ada@example.com", "first_name": "Augusta"})

    ada.refresh_from_db()
    assert counts(taken) == (0, 1, 0)
    assert (ada.first_name, ada.phone) == ("Augusta", "1")


def test_saying_nothing_new_changes_nothing():
    ada = a_contact(email="ada@example.com", first_name="Ada", company="Alder", properties={"a": 1})

    taken = take(
        {
            "email": "ADA@example.com",
            "first_name": "Ada",
            "company": "ALDER",
            "properties": {"a": 1},
        }
    )

    assert counts(taken) == (0, 0, 1)
    assert ada.profile_changes.count() == 1


def test_null_and_empty_text_clear_a_field():
    ada = a_contact(email="ada@example.com", phone="1", country="Chile", company="Alder")

    take({"email": "ada@example.com", "phone": None, "country": "", "company": None})

    ada.refresh_from_db()
    assert (ada.phone, ada.country, ada.company) == ("", "", None)


def test_properties_are_merged_key_by_key_and_null_takes_one_away():
    ada = a_contact(email="ada@example.com", properties={"a": 1, "b": 2})

    take({"email": "ada@example.com", "properties": {"b": None, "c": 3}})

    ada.refresh_from_db()
    assert ada.properties == {"a": 1, "c": 3}


def test_properties_cannot_grow_beyond_the_bounds_by_being_merged():
    a_contact(email="ada@example.com", properties={f"k{n}": n for n in range(90)})

    taken = take({"email": "ada@example.com", "properties": {f"m{n}": n for n in range(11)}})

    assert [one.field for one in taken.rejected] == ["properties"]


def test_a_missing_identifier_is_filled_in():
    take({"external_id": "7", "email": "ada@example.com"})
    ben = a_contact(email="ben@example.com")

    take({"external_id": "8", "email": "ben@example.com"})

    ben.refresh_from_db()
    assert ben.external_id == "8"


def test_a_new_address_of_a_known_external_id_is_an_update():
    ada = a_contact(email="old@example.com", external_id="7")

    taken = take({"external_id": "7", "email": "new@example.com"})

    ada.refresh_from_db()
    assert (counts(taken), ada.email) == ((0, 1, 0), "new@example.com")


def test_two_identifiers_of_two_people_are_refused_naming_both():
    ada, ben = a_contact(email="ada@example.com"), a_contact(external_id="8")

    taken = take({"external_id": "8", "email": "ada@example.com"})

    [rejection] = taken.rejected
    assert rejection.field == "external_id"
    assert f"contact {ada.pk} " in rejection.message
    assert f"contact {ben.pk} " in rejection.message


def test_an_address_of_somebody_with_another_external_id_is_refused():
    a_contact(email="ada@example.com", external_id="7")

    taken = take({"external_id": "unheard-of", "email": "ada@example.com"})

    assert [one.field for one in taken.rejected] == ["external_id"]


def test_an_address_given_up_in_a_batch_is_nobody_elses_in_the_same_batch():
    a_contact(email="ada@example.com", external_id="7")

    taken = take(
        {"external_id": "7", "email": "new@example.com"},
        {"external_id": "8", "email": "ada@example.com"},
    )

    assert counts(taken) == (0, 1, 0)
    assert [(one.index, one.field) for one in taken.rejected] == [(1, "email")]


def test_items_of_a_batch_build_upon_each_other():
    taken = take(
        {"email": "ada@example.com", "first_name": "Ada"},
        {"email": "ada@example.com", "external_id": "7"},
        {"external_id": "7", "first_name": "Ada"},
    )

    assert counts(taken) == (1, 1, 1)
    assert Contact.objects.get().external_id == "7"


def test_companies_are_one_whatever_their_case():
    take(
        {"email": "a@example.com", "company": "Alder"},
        {"email": "b@example.com", "company": "ALDER"},
    )
    take({"email": "c@example.com", "company": "alder"})

    assert [company.name for company in Company.objects.all()] == ["Alder"]


def test_a_company_of_somebody_who_was_refused_is_not_left_behind():
    take({"email": "ada@example.com"}, {"external_id": "7", "email": "ben@example.com"})

    taken = take(
        {"email": "ada@example.com", "external_id": "7", "company": "Orphan"},
        {"email": "cy@example.com", "company": "Kept"},
        {"email": "ada@example.com", "external_id": "7", "company": "kept"},
    )

    assert len(taken.rejected) == 2
    assert list(Company.objects.values_list("name", flat=True)) == ["Kept"]


def test_profiles_are_kept_with_their_times_only_when_they_change():
    take({"email": "ada@example.com", "first_name": "Ada"}, at=NOON)
    take({"email": "ada@example.com", "first_name": "Ada"}, at=NOON + timedelta(hours=1))
    take({"email": "ada@example.com", "job_title": "CEO"}, at=NOON + timedelta(hours=2))

    kept = ProfileChange.objects.order_by("at").values_list("at", "fields__job_title")
    assert list(kept) == [(NOON, ""), (NOON + timedelta(hours=2), "CEO")]


def test_a_batch_that_waited_for_another_counts_from_no_earlier_than_that():
    take({"email": "ada@example.com", "first_name": "Ada"}, at=NOON)

    take({"email": "ada@example.com", "job_title": "CEO"}, at=NOON - timedelta(seconds=1))

    [kept] = ProfileChange.objects.all()
    assert (kept.at, kept.fields["job_title"], kept.fields["first_name"]) == (NOON, "CEO", "Ada")


# --- activities -------------------------------------------------------------------------------
def test_an_activity_is_stored_scored_and_noted_as_the_latest():
    ada = a_contact(email="ada@example.com")

    taken = did(view(type="demo_request", occurred_at="2026-06-01T11:00:00+02:00"))

    ada.refresh_from_db()
    assert (taken.accepted, taken.duplicates) == (1, 0)
    assert ada.last_activity_at == NOON - timedelta(hours=3)
    assert ada.score.engagement > 0


def test_a_mail_of_ours_is_no_sign_of_life():
    ada = a_contact(email="ada@example.com")

    did(view(occurred_at="2026-05-01T12:00:00Z"), view(type="email_sent", event_id="e2"))

    ada.refresh_from_db()
    assert ada.activities.count() == 2
    assert ada.last_activity_at == NOON - timedelta(days=31)


def test_an_activity_without_a_time_happens_now():
    did(view())

    assert Activity.objects.get().occurred_at == NOON


def test_an_unknown_address_makes_a_person():
    did(view(email="New@example.com", external_id="7"))

    new = Contact.objects.get()
    assert (new.email, new.external_id, new.profile_changes.count()) == ("new@example.com", "7", 1)


def test_an_unknown_external_id_alone_is_refused():
    taken = did({"external_id": "7", "type": "page_view"})

    assert [one.field for one in taken.rejected] == ["external_id"]


def test_an_activity_moves_no_address():
    ada = a_contact(email="new@example.com", external_id="7")

    taken = did(view(email="old@example.com", external_id="7"))

    ada.refresh_from_db()
    assert (taken.accepted, ada.email, ada.activities.count()) == (1, "new@example.com", 1)


def test_the_same_event_is_stored_once_within_a_batch_and_after_it():
    first = did(view(), view(), view(event_id="e2"))
    second = did(view(), view(event_id="e3"))

    assert (first.accepted, first.duplicates) == (2, 1)
    assert (second.accepted, second.duplicates) == (1, 1)
    assert Activity.objects.count() == 3


def test_the_same_event_id_of_another_source_is_another_event():
    taken = did(view(), view(source="web"))

    assert taken.accepted == 2


def test_a_repeat_makes_nobody_and_scores_nobody():
    an_activity(source="tests", event_id="e1")

    taken = did(view(email="new@example.com"))

    assert (taken.duplicates, Contact.objects.filter(email="new@example.com").count()) == (1, 0)
    assert not Score.objects.exists()


def test_an_older_activity_does_not_move_the_latest_back():
    did(view())
    did(view(event_id="e2", occurred_at="2026-01-01T00:00:00Z"))

    assert Contact.objects.get().last_activity_at == NOON


def test_activities_without_an_event_id_are_all_taken():
    taken = did(*[{"email": "ada@example.com", "type": "page_view"}] * 2)

    assert taken.accepted == 2


def test_one_bad_item_spoils_no_other():
    taken = did(view(), view(type="!?", event_id="e2"), 7, view(event_id="e3"))

    assert taken.accepted == 2
    assert [(one.index, one.field) for one in taken.rejected] == [(1, "type"), (2, "item")]


def test_what_somebody_did_reaches_those_who_listen():
    taken = did(view(), view(type="demo_request", event_id="e2"))

    assert list(taken.types.values()) == [{"page_view", "demo_request"}]


# --- the number of queries --------------------------------------------------------------------
def queries(work):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        work()
    return len(captured)


def known_and_new(prefix, size):
    for number in range(size):
        a_contact(email=f"{prefix}{number}@example.com")
    return [
        {"email": f"{prefix}{n}@example.com", "company": f"{prefix}{n}", "job_title": "Clerk"}
        for n in range(2 * size)
    ]


def test_people_take_as_many_queries_in_a_thousand_as_in_two():
    few, many = known_and_new("few", 1), known_and_new("many", 500)

    assert queries(lambda: take(*few)) == queries(lambda: take(*many))


def test_activities_take_as_many_queries_in_a_thousand_as_in_two():
    few, many = known_and_new("few", 1), known_and_new("many", 500)

    def activities(people):
        return [view(email=one["email"], event_id=one["email"]) for one in people]

    assert queries(lambda: did(*activities(few))) == queries(lambda: did(*activities(many)))


def test_an_activity_of_a_sender_whose_clock_is_ahead_counts_at_once():
    ahead = {
        "email": "ada@alder.example",
        "type": "demo_request",
        "occurred_at": (NOON + timedelta(minutes=4)).isoformat(),
    }

    take_activities([ahead], "web", NOON)

    [stored] = Activity.objects.all()
    assert stored.occurred_at == NOON
    assert Score.objects.get(contact=stored.contact_id).engagement > 0

from crm_sync.hubspot.defaults import MAPPING
from crm_sync.mapping.contact_facts import ContactFacts
from crm_sync.mapping.record_values import record_properties, wanted_properties
from crm_sync.models import FieldMapping, LastKnown
from crm_sync.port import CrmContactWrite
from leadscoring.models import Contact, Score
from tests.crm_sync.makers import MONDAY

VALUES = {"number": "82.5", "long_text": "Why.\nAnd when.", "datetime": "2026-05-04T12:00:00Z"}


def rows():
    return [FieldMapping(**field._asdict()) for field in MAPPING]


def test_the_defaults_are_words_of_the_mapping():
    for row in rows():
        row.clean_fields()

    assert len({row.property for row in rows()}) == len(rows())


def test_set_up_makes_the_contracts_properties_for_the_defaults():
    made = {each.name: each.type for each in wanted_properties(rows())}

    assert made == {
        "lead_score": "number",
        "lead_fit": "number",
        "lead_engagement": "number",
        "lead_grade": "enumeration",
        "lead_score_reasons": "long_text",
        "lead_recent_activity": "long_text",
        "lead_sequence_history": "long_text",
        "lead_qualified_at": "datetime",
    }


def test_a_value_that_is_a_day_gets_a_property_for_days(hubspot):
    (day,) = (row for row in rows() if row.source == "qualified_at")
    day.format = "day"

    wanted = wanted_properties([day])

    assert [each.type for each in wanted] == ["date"]
    assert not any(step.problem for step in hubspot.set_up(wanted, plan=False))
    made = {each.name: each.type for each in hubspot.properties()}
    assert made[day.property] == "date"


def test_what_people_fill_in_too_is_never_simply_overwritten():
    ours_alone = {row.property for row in rows() if row.policy == "ours_wins"}

    assert all(name.startswith("lead_") for name in ours_alone)


def test_a_new_account_is_set_up_so_that_every_default_is_taken(hubspot, there):
    wanted = wanted_properties(rows())
    hubspot.set_up(wanted, plan=False)
    sent = {each.name: each.options[0] if each.options else VALUES[each.type] for each in wanted}
    standard = {row.property: row.value or "lead" for row in rows() if row.property not in sent}
    standard["email"] = "ada@x.example"

    (saved,) = hubspot.save_contacts(
        [CrmContactWrite("t", "", "ada@x.example", sent | standard)]
    ).values()

    assert {name: there.value(saved.record_id, name) for name in sent | standard} == sent | standard


def test_what_was_saved_is_not_written_again(hubspot, there):
    hubspot.set_up(wanted_properties(rows()), plan=False)
    known = ContactFacts(
        Contact(email="ada@x.example", first_name="Ada"),
        Score(total=82.5, fit=42, engagement=40.25, grade="A1", crossed_at=MONDAY),
        MONDAY,
    )
    words, names = hubspot.lifecycle_words, [row.property for row in rows()]
    first = record_properties(known, rows(), words, None, LastKnown())
    hubspot.save_contacts([CrmContactWrite("t", "", "ada@x.example", first)])

    record = hubspot.contacts_by_email(["ada@x.example"], names)["ada@x.example"]

    assert record_properties(known, rows(), words, record, LastKnown(first)) == {}

from crm_sync.hubspot.defaults import MAPPING, PROPERTIES
from crm_sync.mapping import wanted_properties
from crm_sync.models import FieldMapping
from crm_sync.port import CrmContactWrite

VALUES = {"number": "82.5", "long_text": "Why.\nAnd when.", "datetime": "2026-05-04T12:00:00Z"}


def rows():
    return [FieldMapping(**field._asdict()) for field in MAPPING]


def test_the_defaults_are_words_of_the_mapping():
    for row in rows():
        row.clean_fields()

    assert len({row.property for row in rows()}) == len(rows())


def test_the_defaults_need_the_properties_that_set_up_makes():
    assert wanted_properties(rows()) == list(PROPERTIES)


def test_what_people_fill_in_too_is_never_simply_overwritten():
    ours_alone = {row.property for row in rows() if row.policy == "ours_wins"}

    assert all(name.startswith("lead_") for name in ours_alone)


def test_a_new_account_is_set_up_so_that_every_default_is_taken(hubspot, there):
    hubspot.set_up(PROPERTIES, plan=False)
    sent = {
        each.name: each.options[0] if each.options else VALUES[each.type] for each in PROPERTIES
    }
    standard = {row.property: row.value or "lead" for row in rows() if row.property not in sent}
    standard["email"] = "ada@x.example"

    (saved,) = hubspot.save_contacts(
        [CrmContactWrite("t", "", "ada@x.example", sent | standard)]
    ).values()

    assert {name: there.value(saved.record_id, name) for name in sent | standard} == sent | standard

"""Fields that Pipedrive names by keys of its own, and values in its types."""

from dataclasses import replace

import pytest

from crm_sync.mapping.record_values import store_given_names, wanted_properties
from crm_sync.models import FieldMapping
from crm_sync.pipedrive.defaults import MAPPING
from crm_sync.port import CrmContactWrite, CrmProperty, CrmRejected
from tests.crm_sync.pipedrive.conftest import SCORE
from tests.port.pipedrive_side import FIELDS


def labels(there):
    return [each["field_name"] for each in there.ask("GET", f"{FIELDS}?limit=500")["data"]]


def rename(there, code, label):
    there.ask("PATCH", f"{FIELDS}/{code}", {"field_name": label})


def rows():
    return [FieldMapping(**field._asdict()) for field in MAPPING]


VALUES = {"number": "82.5", "long_text": "Why.\nAnd when.", "date": "2026-05-04", "text": "Acme"}


def test_the_defaults_are_words_of_the_mapping():
    for row in rows():
        row.clean_fields()

    assert len({row.property for row in rows()}) == len(rows())


@pytest.mark.django_db
def test_the_mapping_keeps_the_keys_and_is_set_up_once(new_account, there):
    FieldMapping.objects.all().delete()
    FieldMapping.objects.bulk_create(rows())
    wanted = lambda: wanted_properties(FieldMapping.objects.sent(), new_account.made_properties)  # noqa: E731

    steps = new_account.set_up(wanted(), plan=False)
    store_given_names(steps)

    assert [step.problem for step in steps if step.problem] == []
    assert new_account.set_up(wanted(), plan=False) == []
    kept = FieldMapping.objects.values_list("property", flat=True)
    ours = {"email", "first_name", "last_name", "phone"}
    assert all(name in ours or len(name) == 40 for name in kept)
    audit = new_account.audit(wanted(), list(kept), None)
    assert list(audit.problems) == []


@pytest.mark.django_db
def test_a_new_account_is_set_up_so_that_every_default_is_taken(new_account, there):
    FieldMapping.objects.all().delete()
    FieldMapping.objects.bulk_create(rows())
    wanted = wanted_properties(FieldMapping.objects.sent(), new_account.made_properties)
    store_given_names(new_account.set_up(wanted, plan=False))
    types = {each.name: each for each in new_account.properties()}
    sent = {
        row.property: row.value or value_for(types[row.property])
        for row in FieldMapping.objects.exclude(source="email")
    }

    (saved,) = new_account.save_contacts([CrmContactWrite("t", "", "ada@x.example", sent)]).values()

    assert saved.properties == sent
    assert (
        new_account.contacts_by_id([saved.record_id], list(sent))[saved.record_id].properties
        == sent
    )


def value_for(found):
    return found.options[1] if found.options else VALUES[found.type]


def test_a_field_that_was_renamed_is_known_by_its_key(pipedrive, there):
    code = there.number_property
    rename(there, code, "Points")

    assert pipedrive.set_up([replace(SCORE, name=code)], plan=False) == []
    assert "Lead score" not in labels(there)


def test_a_field_of_ours_that_was_renamed_is_read_on_and_not_made_again(pipedrive, there):
    record_id = there.add_contact("ada@x.example", lifecycle_stage="sql")
    rename(there, there.lifecycle_property, "Stufe")
    pipedrive._reader.memory.forget()

    assert pipedrive.contacts_by_id([record_id], [])[record_id].lifecycle_stage == "sql"
    steps = pipedrive.set_up(pipedrive.made_properties, plan=False)
    assert [step.wanted for step in steps if not step.named] == []
    assert labels(there).count("Lifecycle stage") == 0


def test_a_field_of_ours_whose_key_was_forgotten_is_known_by_its_choices(
    pipedrive, there, settings
):
    from tests.port.pipedrive_side import forget_pipedrive

    record_id = there.add_contact("ada@x.example", lifecycle_stage="mql")
    rename(there, there.lifecycle_property, "Stufe")
    forget_pipedrive(settings.REDIS_URL)
    fresh = type(pipedrive)(there.token, there.url, settings.REDIS_URL)

    assert fresh.contacts_by_id([record_id], [])[record_id].lifecycle_stage == "mql"


def test_a_field_without_an_answer_is_looked_for_before_it_is_made_again(pipedrive, there):
    fault = {"kind": "garbage", "match": {"path_prefix": FIELDS, "method": "POST"}}
    there.ask("POST", "/sandbox/faults", fault)
    wanted = [CrmProperty("tier", "Tier", "text")]

    (silent,) = pipedrive.set_up(wanted, plan=False)
    (found,) = pipedrive.set_up(wanted, plan=False)

    assert silent.problem
    assert len(found.named) == 40
    assert labels(there).count("Tier") == 1


def test_a_plan_that_has_no_more_fields_is_told(pipedrive, there, dials):
    dials.most_custom_fields = 1

    (step,) = pipedrive.set_up([CrmProperty("tier", "Tier", "text")], plan=False)

    assert "limit" in step.problem


def test_a_type_that_pipedrive_lacks_is_told(pipedrive):
    (step,) = pipedrive.set_up([CrmProperty("at", "Qualified at", "datetime")], plan=False)

    assert step.problem


@pytest.mark.parametrize(
    ("type_", "sent", "kept"),
    [
        ("number", "82", "82"),
        ("number", "82.50", "82.5"),
        ("number", "-0.25", "-0.25"),
        ("number", "many", None),
        ("number", "nan", None),
        ("number", "1e999", None),
        ("date", "2026-05-04", "2026-05-04"),
        ("date", "2026-05-04T12:00:00Z", "2026-05-04"),
        ("date", "soon", None),
        ("text", "x" * 300, "x" * 255),
        ("long_text", "é" * 32_000, "é" * 32_000),
        ("long_text", "a\nb 🦊", "a\nb 🦊"),
        ("enumeration", "gold", "gold"),
        ("enumeration", "tin", None),
    ],
)
def test_a_value_is_kept_or_named(pipedrive, there, type_, sent, kept):
    options = ("gold", "silver") if type_ == "enumeration" else ()
    (step,) = pipedrive.set_up([CrmProperty("thing", "Thing", type_, options)], plan=False)

    saved = pipedrive.save_contacts(
        [CrmContactWrite("t", "", "ada@x.example", {step.named: sent})]
    )["t"]

    if kept is None:
        assert isinstance(saved, CrmRejected)
        assert list(saved.properties) == [step.named]
        assert "Thing" in str(saved)
        assert step.named not in str(saved)
    else:
        assert saved.properties == {step.named: kept}


def test_what_this_program_cannot_write_is_told_as_read_only(pipedrive, there):
    there.ask("POST", FIELDS, {"field_name": "Worth", "field_type": "monetary"})
    found = {each.label: each for each in pipedrive.properties()}

    assert (found["Worth"].type, found["Worth"].read_only) == ("other", True)
    saved = pipedrive.save_contacts(
        [CrmContactWrite("t", "", "ada@x.example", {found["Worth"].name: "1"})]
    )["t"]
    assert isinstance(saved, CrmRejected)


def test_sixteen_fields_are_read_although_fifteen_may_be_named(pipedrive, there):
    wanted = [CrmProperty(f"f{number}", f"F{number}", "text") for number in range(16)]
    steps = pipedrive.set_up(wanted, plan=False)
    sent = {step.named: step.wanted for step in steps}
    saved = pipedrive.save_contacts([CrmContactWrite("t", "", "ada@x.example", sent)])["t"]

    found = pipedrive.contacts_by_id([saved.record_id], list(sent))[saved.record_id]

    assert found.properties == sent


def test_lead_statuses_are_the_choices_of_our_field(pipedrive):
    from crm_sync.pipedrive.defaults import REFUSING

    assert set(REFUSING) <= set(pipedrive.lead_statuses())


def test_an_account_that_was_not_set_up_still_takes_leads(new_account, there):
    """Nothing is known of stages, statuses and opt-outs; the rest goes on."""
    saved = new_account.save_contacts(
        [CrmContactWrite("t", "", "ada@x.example", {"first_name": "Ada"})]
    )["t"]

    assert (saved.lifecycle_stage, saved.lead_status, saved.opted_out) == ("", "", False)
    assert list(new_account.lead_statuses()) == []

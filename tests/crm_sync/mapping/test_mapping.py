"""Our values on their way into the CRM's properties."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from crm_sync.mapping.contact_facts import ContactFacts
from crm_sync.mapping.record_values import (
    instant_text,
    number_text,
    record_properties,
    wanted_properties,
)
from crm_sync.models import FieldMapping, LastKnown
from crm_sync.port import CrmContact
from leadscoring.models import Contact, Score
from tests.crm_sync.makers import MONDAY

STAGES = {"lead": "lead", "mql": "marketingqualifiedlead", "opportunity": "opportunity"}


def field(source, policy="ours_wins", value=""):
    return FieldMapping(source=source, property="there", policy=policy, value=value)


def known(**fields):
    contact = Contact(email="ada@engines.example", first_name="Ada", **fields)
    return ContactFacts(
        contact, Score(total=82.5, fit=42, engagement=40.25, grade="A1", crossed_at=MONDAY), MONDAY
    )


def record(there="", stage=""):
    return CrmContact("1", "", "", stage, "", False, {"there": there})


def last_written(mapping, record, last="", kept="", **fields):
    return record_properties(
        known(**fields), [mapping], STAGES, record, LastKnown({"there": last}, {"there": kept})
    ).get("there")


@pytest.mark.parametrize(
    ("policy", "there", "last", "value"),
    [
        ("ours_wins", "", "", "Ada"),
        ("ours_wins", "Augusta", "", "Ada"),
        ("when_empty", "", "", "Ada"),
        ("when_empty", "Augusta", "", None),
        ("when_empty", "Augusta", "Augusta", None),
        ("when_empty_or_ours", "", "", "Ada"),
        ("when_empty_or_ours", "Augusta", "Augusta", "Ada"),
        ("when_empty_or_ours", "Augusta", "Ada", None),
        ("when_empty_or_ours", "Augusta", "", None),
        ("ours_wins", "Ada", "", None),  # it says so already
    ],
)
def test_policies(policy, there, last, value):
    assert last_written(field("first_name", policy), record(there), last) == value


@pytest.mark.parametrize(
    ("ours", "theirs", "raw", "value"),
    [
        ("mql", "lead", "lead", "marketingqualifiedlead"),
        ("mql", "mql", "marketingqualifiedlead", None),
        ("mql", "opportunity", "opportunity", None),
        ("mql", "", "", "marketingqualifiedlead"),
        ("mql", "", "evangelist", None),  # none of ours: where it stands is theirs to say
        ("mql", "", "4711", None),
    ],
)
def test_a_lifecycle_stage_only_goes_forward(ours, theirs, raw, value):
    mapping = field("lifecycle_stage", "forward_only")

    assert last_written(mapping, record(raw, theirs), lifecycle_stage=ours) == value


def test_a_new_record_gets_everything_that_we_have():
    assert last_written(field("first_name", "when_empty"), None) == "Ada"
    assert (
        last_written(field("lifecycle_stage", "forward_only"), None, lifecycle_stage="mql")
        == "marketingqualifiedlead"
    )


def test_what_we_do_not_know_never_clears_what_they_know():
    assert last_written(field("phone"), record("+49 30 123")) is None


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("score", "82.5"),
        ("fit", "42"),
        ("engagement", "40.25"),
        ("grade", "A1"),
        ("qualified_at", "2026-05-04T10:00:00Z"),
        ("email", "ada@engines.example"),
    ],
)
def test_values_as_the_crm_takes_them(source, value):
    assert last_written(field(source), None) == value


def test_a_fixed_value():
    assert last_written(field("constant", value="IN_PROGRESS"), None) == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (100.0, "100"), (1234567.5, "1234567.5"), (-3.25, "-3.25")]
)
def test_numbers_have_a_point_and_no_separators(value, text):
    assert number_text(value) == text


def test_instants_are_in_utc():
    assert instant_text(MONDAY.astimezone(tz=None) + timedelta(hours=1)) == "2026-05-04T11:00:00Z"


@pytest.mark.parametrize(
    ("there", "value"),
    [
        ("2026-05-04T10:00:00Z", None),
        ("2026-05-04T10:00:00.000Z", None),
        ("2026-05-04T12:00:00+02:00", None),
        ("2026-05-04T10:00:00.883Z", "2026-05-04T10:00:00Z"),
        ("2026-05-04T10:00:00", "2026-05-04T10:00:00Z"),  # says no zone: not an instant
        ("yesterday", "2026-05-04T10:00:00Z"),
        ("", "2026-05-04T10:00:00Z"),
    ],
)
def test_an_instant_that_the_record_has_already_is_not_written_again(there, value):
    assert last_written(field("qualified_at"), record(there)) == value


def test_an_instant_is_known_as_ours_however_the_crm_writes_it():
    mapping = field("qualified_at", "when_empty_or_ours")

    before, as_the_crm_has_it = "2026-04-01T10:00:00Z", "2026-04-01T10:00:00.000Z"

    assert last_written(mapping, record(as_the_crm_has_it), before) == "2026-05-04T10:00:00Z"


def test_set_up_makes_what_exists_only_for_us():
    wanted = wanted_properties([field("first_name"), field("grade"), field("lifecycle_stage")])

    assert [(each.name, each.type, len(each.options)) for each in wanted] == [
        ("there", "enumeration", 16)
    ]


@pytest.mark.django_db
def test_every_installation_starts_with_the_contracts_mapping():
    named = set(FieldMapping.objects.values_list("property", flat=True))

    assert {"email", "lead_score", "lead_grade", "lifecyclestage", "hs_lead_status"} <= named
    assert len(named) == 16


@pytest.mark.django_db
def test_only_the_lifecycle_stage_can_go_forward():
    with pytest.raises(IntegrityError):
        FieldMapping.objects.create(source="phone", property="x", policy="forward_only")


@pytest.mark.parametrize(
    ("source", "format_", "value"),
    [
        ("score", "whole", "82"),  # half goes to the even one
        ("engagement", "whole", "40"),
        ("qualified_at", "day", "2026-05-04"),
    ],
)
def test_values_in_the_format_of_the_property(source, format_, value):
    assert (
        last_written(FieldMapping(source=source, property="there", format=format_), None) == value
    )


def test_a_value_that_is_not_known_has_no_format():
    mapping = FieldMapping(source="score", property="there", format="whole")
    nobody = ContactFacts(Contact(email="ada@engines.example"), None, MONDAY)

    assert record_properties(nobody, [mapping], STAGES, None, LastKnown()) == {}


@pytest.mark.parametrize(
    ("there", "last", "value"),
    [
        ("", "", "Ada"),
        ("Augusta", "Augusta", "Ada"),
        ("Augusta", "", None),
        ("Augusta", "Ada", None),
    ],
)
def test_where_theirs_wins_only_what_is_empty_or_ours_is_written(there, last, value):
    mapping = FieldMapping(
        source="first_name", property="there", policy="theirs_wins", direction="both"
    )

    assert last_written(mapping, record(there), last) == value


def test_what_only_comes_from_the_crm_is_never_written():
    mapping = FieldMapping(
        source="first_name", property="there", policy="theirs_wins", direction="in"
    )

    assert last_written(mapping, record("")) is None


@pytest.mark.django_db
def test_one_value_is_filled_by_one_property():
    both = {"source": "phone", "policy": "theirs_wins", "direction": "in"}
    FieldMapping.objects.create(property="mobilephone", **both)

    with pytest.raises(IntegrityError):
        FieldMapping.objects.create(property="workphone", **both)

"""The mapping as a marketer edits it: with the account's properties, checked, and tried before it is sent."""

import pytest
from django.core.cache import cache

from crm_sync.connect import connect
from crm_sync.mapping.property_choices import property_choices
from crm_sync.models import FieldMapping
from tests.admin_pages import HOSTILE, as_, as_one_who_may, as_superuser, page
from tests.crm_sync.makers import a_score
from tests.crm_sync.reading import a_linked
from tests.port.hubspot_side import TOKEN

pytestmark = pytest.mark.django_db
LIST, ADD = page("crm_sync.fieldmapping"), page("crm_sync.fieldmapping") + "add/"
PLAN = page("crm_sync.fieldmapping") + "plan/"
PROPERTIES = "/crm/v3/properties/contacts"


@pytest.fixture
def connected(there, settings):
    settings.HUBSPOT_ACCESS_TOKEN, settings.HUBSPOT_BASE_URL = TOKEN, there.sandbox.url
    cache.delete(f"crm-properties:{connect().identity}")
    return there


def sent(client=None, **fields):
    """The form with these values; answers the page that follows."""
    given = {"source": "country", "property": "country", "direction": "out", "policy": "when_empty"}
    data = {"enabled": "on", "value": "", "format": "", **given, **fields}
    return (client or as_("Marketing")).post(ADD, data, follow=True).content.decode()


def switched(*on):
    """The list's form with these mappings on and all others off; answers the page that follows."""
    rows = list(FieldMapping.objects.order_by("pk"))
    data = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "Save"}
    for place, row in enumerate(rows):
        data |= {f"form-{place}-id": row.pk} | (
            {f"form-{place}-enabled": "on"} if row in on else {}
        )
    return as_("Marketing").post(LIST, data, follow=True).content.decode()


def mapped(property_):
    return FieldMapping.objects.filter(property=property_).exists()


def test_marketing_maps_a_value(connected):
    sent(direction="both", policy="theirs_wins")

    mapping = FieldMapping.objects.get(property="country")
    assert (mapping.direction, mapping.policy) == ("both", "theirs_wins")


def test_the_accounts_properties_are_offered(connected):
    told = as_("Marketing").get(ADD).content.decode()

    assert '<option value="jobtitle">Job Title: text</option>' in told
    assert 'list="properties"' in told


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"policy": "forward_only"}, "fits the lifecycle stage alone"),
        ({"policy": "theirs_wins"}, "is for values that come from the CRM"),
        ({"source": "score", "direction": "in"}, "Only names, job title, phone"),
        ({"source": "company", "direction": "both"}, "Only names, job title, phone"),
        ({"direction": "in", "policy": "ours_wins"}, "is for values that come from the CRM"),
        ({"format": "whole"}, "is for scores"),
        ({"source": "constant"}, "Say which fixed value."),
        ({"property": "no_such_property"}, "no property of this name"),
        ({"source": "score", "property": "notes_last_contacted"}, "Nobody may write to"),
        ({"source": "phone", "property": "hubspot_owner_id"}, "Nobody may write to"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_the_reason(connected, fields, words):
    told = sent(**fields)

    assert words in told
    assert not mapped(fields.get("property", "country"))


def test_a_fixed_value_is_one_of_the_propertys_options(connected):
    FieldMapping.objects.filter(property="hs_lead_status").delete()

    told = sent(source="constant", property="hs_lead_status", value="BUSY")

    assert "takes one of these: NEW (New), OPEN (Open)" in told
    assert not mapped("hs_lead_status")


def test_with_the_crm_away_the_page_works_and_says_so(connected):
    connected.revoke()
    client = as_("Marketing")

    told = client.get(ADD).content.decode()
    sent(client, property="some_day")

    assert "The CRM does not tell its properties now" in told
    assert mapped("some_day")


def test_without_a_crm_the_page_works_and_says_so():
    told = as_("Marketing").get(ADD).content.decode()

    assert "No CRM is connected" in told


def test_properties_are_asked_for_once_in_some_minutes(connected):
    first = property_choices(connect())
    connected.sandbox.state.log.clear()

    again = property_choices(connect())

    assert first == again
    assert list(connected.sandbox.state.log) == []


def test_a_crm_that_is_away_is_not_waited_for_each_time(connected):
    connected.revoke()
    property_choices(connect())
    connected.sandbox.state.log.clear()

    assert property_choices(connect()).away
    assert list(connected.sandbox.state.log) == []


def test_names_of_properties_are_shown_as_they_are_written(connected):
    name = {"name": "odd", "label": HOSTILE, "groupName": "contactinformation"}
    connected.ask("POST", PROPERTIES, name | {"type": "string", "fieldType": "text"})

    assert "<script>alert" not in as_superuser().get(ADD).content.decode()


def test_who_wins_is_told_with_an_example():
    told = as_("Marketing").get(LIST).content.decode()

    assert "whatever a form says here later" in told
    assert "What would be sent" in told


def test_the_list_still_switches_mappings_off():
    switched()

    assert not FieldMapping.objects.filter(enabled=True).exists()


@pytest.mark.parametrize("first_is_on", [True, False])
def test_two_properties_that_fill_one_value_are_not_both_switched_on(first_is_on):
    comes = {"source": "phone", "policy": "theirs_wins", "direction": "in"}
    first = FieldMapping.objects.create(property="mobilephone", enabled=first_is_on, **comes)
    second = FieldMapping.objects.create(property="workphone", enabled=False, **comes)

    told = switched(first, second)

    assert "Phone is filled by another property: switch that one off and save first." in told
    assert not FieldMapping.objects.get(pk=second.pk).enabled


def test_what_would_be_sent_is_shown_and_not_sent(connected, crm):
    contact, record_id = a_linked(crm, connected, "ada@engines.example")
    a_score(contact)
    connected.sandbox.state.log.clear()

    told = as_("Marketing").get(PLAN).content.decode()

    assert "ada@engines.example" in told
    assert "<b><bdi" in told
    assert connected.value(record_id, "lead_score") == ""
    assert {each["method"] for each in connected.sandbox.state.log} <= {"GET", "POST"}
    assert not [each for each in connected.sandbox.state.log if "update" in each["path"]]


def test_what_would_be_sent_says_when_the_crm_is_away(connected):
    connected.revoke()

    assert "The CRM cannot be read now." in as_("Marketing").get(PLAN).content.decode()


def test_whoever_may_not_see_people_does_not_see_what_would_be_sent_of_them():
    client = as_one_who_may("crm_sync.view_fieldmapping")

    assert client.get(PLAN).status_code == 403
    assert client.get(LIST).status_code == 200

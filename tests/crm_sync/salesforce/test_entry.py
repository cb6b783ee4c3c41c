import pytest

from crm_sync.port import CrmForged, Posted
from crm_sync.salesforce import entry
from crm_sync.salesforce.transport.versions import support_ends
from tests.crm_sync.salesforce.writes import NOON

VALUES = {
    "SALESFORCE_LOGIN_URL": "https://acme.my.salesforce.com/",
    "SALESFORCE_CLIENT_ID": "id",
    "SALESFORCE_CLIENT_SECRET": "secret",
}


@pytest.fixture
def given(settings):
    for name, value in VALUES.items():
        setattr(settings, name, value)
    return settings


@pytest.mark.parametrize("name", VALUES)
def test_the_first_credential_that_is_missing_is_named(given, name):
    setattr(given, name, " ")

    assert entry.missing_setting() == name
    assert entry.connect() is None


def test_a_process_has_one_adapter(given):
    crm = entry.connect()

    assert crm is entry.connect()
    assert crm.contact_url("00Q000000000001EAA") == (
        "https://acme.my.salesforce.com/00Q000000000001EAA"
    )


def test_the_calls_and_fields_are_known_without_a_connection():
    calls, fields = entry.surface()

    assert "/services/data/v67.0/query" in {call.path for call in calls}
    assert {each.record for each in fields} >= {"contact", "task", "deal"}


def test_no_webhook_is_taken():
    hooks = entry.webhooks()

    assert not hooks.enabled
    with pytest.raises(CrmForged):
        hooks.hints(Posted("POST", "https://x", {}, b"{}"), NOON)


@pytest.mark.parametrize(
    ("version", "day"),
    [
        ("66.0", "2029-02-01"),
        ("67.0", "2029-06-01"),
        ("68.0", "2029-10-01"),
        ("69.0", "2030-02-01"),
    ],
)
def test_a_version_is_supported_three_years(version, day):
    assert support_ends(version).isoformat() == day


def test_the_defaults_fit_what_set_up_makes(salesforce):
    from crm_sync.mapping.record_values import OURS
    from crm_sync.port import CrmProperty

    first = [row for row in entry.MAPPING if row.source in OURS]
    wanted = [CrmProperty(row.property, *OURS[row.source]) for row in first]

    steps = salesforce.set_up(wanted, plan=False)

    assert {step.named for step in steps} <= {row.property for row in first}
    assert {row.property for row in entry.MAPPING} <= {
        each.name for each in salesforce.properties()
    }
    assert salesforce.audit(wanted, [row.property for row in entry.MAPPING], NOON).problems == []

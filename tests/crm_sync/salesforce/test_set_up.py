import pytest

from crm_sync.port import CrmFlaw, CrmProperty
from crm_sync.salesforce.records.properties import api_name
from tests.crm_sync.salesforce.writes import NOON

SCORE = CrmProperty("lead_score", "Lead score", "number")
MANY = [
    SCORE,
    CrmProperty("lead_grade", "Lead grade", "enumeration", ("A1", "D4")),
    CrmProperty("lead_score_reasons", "Reasons", "long_text"),
    CrmProperty("lead_qualified_at", "Qualified at", "datetime"),
    CrmProperty("lead_day", "Day", "date"),
    CrmProperty("lead_note", "Note", "text"),
]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("lead_score", "Lead_Score__c"),
        ("Lead_Score__c", "Lead_Score__c"),
        ("größe x", "Gr_E_X__c"),
        ("acme__Score__c", "acme__Score__c"),
        ("x" * 60, f"X{'x' * 39}__c"),
    ],
)
def test_a_property_has_the_name_of_a_custom_field(name, field):
    assert api_name(name) == field


def test_set_up_makes_every_kind_of_field_and_says_its_name(bare_org):
    steps = bare_org.set_up(MANY, plan=False)

    assert [step.problem for step in steps] == [""] * len(steps)
    assert {step.wanted: step.named for step in steps if step.wanted and step.wanted[0] == "l"} == {
        each.name: api_name(each.name) for each in MANY
    }
    found = {each.name: each for each in bare_org.properties()}
    assert [found[api_name(each.name)].type for each in MANY] == [each.type for each in MANY]
    assert found["Lead_Grade__c"].options == ("A1", "D4")
    assert bare_org.set_up(MANY, plan=False) == []


def test_set_up_that_was_cut_goes_on(bare_org, there):
    there.trouble("status", "/services/data/v67.0/tooling/sobjects", status=500, body=[], times=1)
    with pytest.raises(Exception, match="did not answer"):
        bare_org.set_up([SCORE], plan=False)

    assert not any(step.problem for step in bare_org.set_up([SCORE], plan=False))
    assert bare_org.set_up([SCORE], plan=True) == []
    assert bare_org.guards_tasks()


def test_a_field_that_is_there_and_hidden_is_shown_and_not_made_again(bare_org, there):
    for sobject in ("Lead", "Contact"):
        field = {"FullName": f"{sobject}.Lead_Score__c",
                 "Metadata": {"label": "Lead score", "type": "Number", "precision": 10, "scale": 2}}  # fmt: skip
        there.ask("POST", "/services/data/v67.0/tooling/sobjects/CustomField", field)

    steps = bare_org.set_up([SCORE], plan=False)

    assert not any(step.problem for step in steps)
    assert "Lead_Score__c" in {each.name for each in bare_org.properties()}


def test_who_may_make_no_fields_is_told_what_an_administrator_has_to_make(bare_org, there):
    there.turn("no_customizing")

    steps = bare_org.set_up([SCORE], plan=False)

    told = [step for step in steps if step.wanted == "lead_score"]
    assert "administrator" in told[0].problem
    assert "Lead_Score__c" in told[0].what
    assert not bare_org.guards_tasks()


def test_a_plan_asks_and_makes_nothing(bare_org):
    planned = bare_org.set_up(MANY, plan=True)

    assert planned == bare_org.set_up(MANY, plan=True)
    assert len(planned) == len(MANY) + 3  # the permission set, the stage, the guard
    assert not bare_org.guards_tasks()


# --- the audit


def flaws(crm) -> list[CrmFlaw]:
    return list(
        crm.audit([CrmProperty("Lead_Score__c", "Lead score", "number")], [], NOON).problems
    )


@pytest.mark.parametrize(
    ("switch", "target", "words", "stops"),
    [
        ("object_read_only", "Lead", "create leads", True),
        ("tasks_read_only", "", "create tasks", True),
        ("object_hidden", "Opportunity", "read opportunities", True),
        ("object_hidden", "Account", "read accounts", False),
        ("no_view_all", "", "shared", False),
        ("required_field", "Lead", "Region__c", True),
        ("required_field", "Task", "Region__c", True),
        ("field_hidden", "Lead.Email", "Email", True),
        ("field_read_only", "Contact.HasOptedOutOfEmail", "HasOptedOutOfEmail", False),
        ("field_hidden", "Contact.Lead_Score__c", "Lead_Score__c of contacts", False),
        ("api_disabled", "", "", True),
        ("day_used_up", "", "24 hours", True),
    ],
)
def test_the_audit_finds_what_is_missing(salesforce, there, switch, target, words, stops):
    assert flaws(salesforce) == []
    there.turn(switch, target)

    found = [flaw for flaw in flaws(salesforce) if words in flaw.what]

    assert found
    assert {flaw.stops for flaw in found} == {stops}
    assert all(flaw.fix for flaw in found)


def test_a_version_that_the_org_does_not_have_is_found(there, settings):
    from crm_sync.salesforce.adapter import Salesforce

    crm = Salesforce(there.token, there.secret, there.url, settings.REDIS_URL, "99.0")

    assert any(flaw.stops for flaw in crm.audit([], [], NOON).problems)


def test_a_day_that_is_nearly_used_up_is_told(salesforce, there):
    for _ in range(60):
        salesforce.contacts_by_id(["003000000000001AAA"], [])
    there.sandbox.settings.daily = there.requests() + 20  # of which the audit takes some

    (flaw,) = flaws(salesforce)

    assert "calls of 24 hours" in flaw.what
    assert not flaw.stops

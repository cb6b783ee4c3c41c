"""crm_setup, crm_pull and stage_effects, as a person or a script calls them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.models import Account, FieldMapping, Stage
from crm_sync.port import SetUpStep
from leadscoring.models import AccessEntry, CrmFreshness
from tests.admin_pages import as_superuser, page
from tests.crm_sync.makers import MONDAY, a_contact, a_delivered, a_score
from tests.crm_sync.pull.test_pull import an_enrolled
from tests.crm_sync.reading import a_linked
from tests.port.hubspot_side import TOKEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def connected(there, settings):
    settings.HUBSPOT_ACCESS_TOKEN, settings.HUBSPOT_BASE_URL = TOKEN, there.sandbox.url
    return there


@pytest.fixture
def call(capsys):
    def call(*arguments):
        """The exit code and the JSON document of a command."""
        code: Any = 0
        try:
            call_command(*arguments, "--json")
        except SystemExit as ended:
            code = ended.code
        return code, json.loads(capsys.readouterr().out)

    return call


def test_set_up_plans_does_and_has_nothing_left_to_do(call, connected):
    _, plan = call("crm_setup", "--plan")
    _, done = call("crm_setup")
    code, again = call("crm_setup")

    assert plan["steps"] == done["steps"]
    assert len(done["steps"]) == 10
    assert (code, again["steps"]) == (0, [])


def test_set_up_keeps_the_names_that_the_crm_gave(call, connected, monkeypatch):
    """HubSpot takes our names; a CRM that chooses its own answers them."""
    given = [SetUpStep("Create the property Lead score", wanted="lead_score", named="a1b2c3")]
    monkeypatch.setattr(HubSpot, "set_up", lambda crm, wanted, plan: given)

    call("crm_setup", "--plan")
    planned = FieldMapping.objects.get(source="score").property
    call("crm_setup")

    assert (planned, FieldMapping.objects.get(source="score").property) == ("lead_score", "a1b2c3")


def test_a_plan_tells_what_would_be_sent_of_real_people(call, connected, crm):
    contact, record_id = a_linked(crm, connected)
    a_score(contact)

    _, document = call("crm_setup", "--plan")

    example = document["push"]["examples"][0]
    told = {each["property"]: each for each in example["properties"]}
    assert (document["push"]["people"], document["push"]["calls"]) == (1, 2)
    assert (told["lead_score"]["before"], told["lead_score"]["after"]) == ("", "82")
    assert connected.value(record_id, "lead_score") == ""


def test_a_plan_in_words_names_people_and_reasons(connected, crm, capsys):
    contact, _ = a_linked(crm, connected)
    a_score(contact, contributions=[])

    call_command("crm_setup", "--plan")

    told = capsys.readouterr().out
    assert "A push of the one person that the CRM knows takes at most 2 requests." in told
    assert "lead_score: “”, becomes “82”" in told
    assert "phone: “”, left alone: we know nothing to say" in told


def test_whom_a_plan_shows_stands_in_the_access_log(connected, crm):
    contact, _ = a_linked(crm, connected)
    a_score(contact)

    call_command("crm_setup", "--plan")
    as_superuser().get(page("crm_sync.fieldmapping") + "plan/")

    assert list(AccessEntry.objects.order_by("pk").values_list("way", "place", "people")) == [
        ("command", "crm_setup", [contact.pk]),
        ("page", "mapped fields", [contact.pk]),
    ]


def test_whom_a_comparison_names_stands_in_the_access_log(call, connected):
    row = a_delivered(now() - timedelta(hours=1))

    _, document = call("handoff_reconcile", "--plan")

    entry = AccessEntry.objects.get()
    assert [each["contact"] for each in document["missing"]] == [row.contact_id]
    assert (entry.place, entry.people) == ("handoff_reconcile", [row.contact_id])


def test_set_up_reports_a_property_of_another_type_and_leaves_it_alone(call, connected):
    text = {
        "name": "lead_score",
        "label": "x",
        "groupName": "contactinformation",
        "type": "string",
        "fieldType": "text",
    }
    connected.ask("POST", "/crm/v3/properties/contacts", text)

    code, done = call("crm_setup")

    assert code == 1
    assert [step["problem"] for step in done["steps"] if step["problem"]] == [
        "it is of the type string there, and number is needed"
    ]


@pytest.mark.parametrize("command", ["crm_setup", "crm_pull"])
def test_without_a_crm_a_command_says_so_and_exits_one(call, command):
    code, document = call(command)

    assert code == 1
    assert document["error"] == "No CRM is connected: HUBSPOT_ACCESS_TOKEN is not set."


def test_a_pull_tells_what_it_read(call, connected):
    an_enrolled(a_contact())

    code, document = call("crm_pull", "--full")

    assert (code, document["contacts"], document["deals"], document["error"]) == (0, 1, 0, "")


def test_a_pull_that_failed_says_how_old_the_state_is(call):
    CrmFreshness.objects.bulk_create(
        CrmFreshness(kind=kind, as_of=MONDAY) for kind in CrmFreshness.Kind
    )

    code, document = call("crm_pull")

    assert (code, document["as_of"]) == (1, MONDAY.isoformat())


@pytest.mark.parametrize(
    "named",
    [
        ("default", "contractsent"),
        ("Sales Pipeline", "Contract Sent"),
        ("SALES PIPELINE", "CONTRACTSENT"),
    ],
)
def test_a_stage_is_set_by_ids_or_labels_and_pipelines_are_read_when_unknown(
    call, connected, named
):
    code, document = call("stage_effects", "set", *named, "stop")

    assert (code, document["effect"]) == (0, "stop")
    assert Stage.objects.get(stage_id="contractsent").effect == "stop"


def test_stages_are_listed_with_what_they_do(call, connected):
    _, document = call("stage_effects", "list")

    effects = {each["stage"]: each["effect"] for each in document["stages"]}
    assert effects["Closed Won"] == "stop"
    assert effects["Qualified To Buy"] == "none"


def test_a_stage_that_nobody_has_set_is_listed_as_pausing(call, connected):
    call("stage_effects", "list")
    Stage.objects.filter(stage_id="qualifiedtobuy").update(effect="", set_by="")

    _, document = call("stage_effects", "list")

    unset = [each for each in document["stages"] if not each["set_by"]]
    assert [(each["stage_id"], each["effect"]) for each in unset] == [("qualifiedtobuy", "pause")]


def test_a_stage_that_does_not_exist_is_a_wrong_use(connected):
    with pytest.raises(CommandError) as wrong:
        call_command("stage_effects", "set", "default", "nope", "stop")

    assert wrong.value.returncode == 2


def test_pipelines_of_another_account_are_not_mixed_in(call, connected):
    Account.objects.create(account_id="111", seen_at=MONDAY)

    code, document = call("stage_effects", "set", "default", "contractsent", "stop")

    assert code == 1
    assert "account 111" in document["error"]
    assert not Stage.objects.exists()


def test_a_comparison_tells_all_that_the_contract_names_and_exits_zero_when_all_agree(
    call, connected
):
    code, document = call("handoff_reconcile")

    assert code == 0
    assert {"crossed", "delivered", "waiting", "needs_attention", "withdrawn", "found"} <= (
        document.keys()
    )
    assert (document["missing"], document["duplicate"], document["unknown"]) == ([], [], [])


def test_a_comparison_exits_one_when_a_person_must_mend_something_and_says_what(
    call, connected, capsys
):
    body = {"hs_timestamp": "2026-05-04T09:00:00Z", "hs_task_body": "<p>ref LS-7K3M9QX2V4TB</p>"}
    connected.ask("POST", "/crm/v3/objects/tasks", {"properties": body})

    code, document = call("handoff_reconcile", "--plan")
    with pytest.raises(SystemExit):
        call_command("handoff_reconcile")

    assert (code, document["unknown"][0]["reference"]) == (1, "LS-7K3M9QX2V4TB")
    assert "Not in the ledger: 1" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["handoff_reconcile", "crm_audit"])
def test_without_a_crm_a_look_says_so_and_exits_one(call, command):
    code, document = call(command)

    assert code == 1
    assert "No CRM is connected: HUBSPOT_ACCESS_TOKEN is not set." in json.dumps(document)


def test_an_audit_in_words_begins_with_what_is_wrong_and_ends_with_calls_and_fields(
    connected, capsys
):
    with pytest.raises(SystemExit):
        call_command("crm_audit")

    told = capsys.readouterr().out
    order = ["HANDOFFS TO SALES DO NOT WORK", "lead_score of contacts is not there", "Run crm_setup",
             "The CRM was last read: never", "/objects/contacts/batch/upsert", "Sent", "hs_task_body",
             "Read", "hs_task_completion_date"]  # fmt: skip
    assert [told.index(each) for each in order] == sorted(told.index(each) for each in order)
    assert TOKEN not in told


def test_a_pull_by_hand_reads_reps_and_stages_however_lately_they_were_read(call, connected):
    call("crm_pull")
    connected.sandbox.state.log.clear()

    call("crm_pull")

    asked = {each["path"] for each in connected.seen()}
    assert {"/crm/v3/owners", "/crm/v3/pipelines/deals"} <= {path.rstrip("/") for path in asked}

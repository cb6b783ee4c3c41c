"""Answers that are none: of a proxy, of a login page, of somebody else."""

import json
import logging
from contextlib import suppress

import pytest

from crm_sync.port import CrmBusy, CrmDenied, CrmError, CrmSilent
from tests.crm_sync.salesforce.writes import a_task, by_email

LOGIN_PAGE = "<!doctype html><html><title>Login | Salesforce</title></html>"
NONSENSE = [LOGIN_PAGE, "", "{}", "[]", "null", "7", "[[", '{"records": 7, "done": true}', '"x"',
            '{"records": [7, null], "done": true}']  # fmt: skip


@pytest.fixture
def person(there):
    return there.add_contact("ada@x.example")


def told(there, body, status=200, **more):
    there.trouble("status", status=status, body=body, **more)


@pytest.mark.parametrize("body", NONSENSE)
def test_a_good_status_with_nonsense_finds_nobody_or_is_no_answer(salesforce, there, person, body):
    told(there, body, times=1)

    found = []
    with suppress(CrmBusy):
        found = salesforce.owners()

    assert found == []


@pytest.mark.parametrize("body", [LOGIN_PAGE, "", "{}", "7", "[["])
def test_a_task_that_nonsense_answered_is_unknown(salesforce, there, person, body):
    told(there, body, times=1, match={"method": "POST"})

    (made,) = salesforce.create_tasks([a_task(person, there.active_owner)]).values()

    assert isinstance(made, CrmSilent)


@pytest.mark.parametrize("body", ['[{"success": true}]', '[{"id": 7}]', "[null]", "[[]]"])
def test_a_row_without_an_outcome_is_unknown(salesforce, there, person, body):
    told(there, json.loads(body), times=1, match={"method": "POST"})

    (made,) = salesforce.create_tasks([a_task(person, there.active_owner)]).values()

    assert isinstance(made, CrmSilent)


def test_maintenance_is_busy(salesforce, there):
    told(there, LOGIN_PAGE, status=503, times=1)

    with pytest.raises(CrmBusy):
        salesforce.owners()


@pytest.mark.parametrize("where", ["https://evil.example/services/data/v67.0/query/01g-2", "../../x",
                                   "/services/data/v67.0/query/01g000000000001AAA-2000"])  # fmt: skip
def test_a_next_page_is_asked_of_nobody_but_the_org_and_not_for_ever(salesforce, there, where):
    page = {"records": [], "done": False, "nextRecordsUrl": where}
    task_id = "00T000000000001EAA"
    before = there.requests()
    told(there, page, times=9)

    with pytest.raises(CrmBusy):
        salesforce.tasks([task_id])

    assert there.requests() - before < 9


def test_a_redirect_is_not_followed(salesforce, there):
    told(there, "", status=302, headers={"Location": "http://127.0.0.1:1/"}, times=1)

    with pytest.raises(CrmDenied, match="redirect"):
        salesforce.owners()


def test_a_silence_after_the_write_makes_no_second_lead(salesforce, there):
    salesforce.save_contacts([by_email("first@x.example")])
    there.trouble(
        "drop_after", match={"method": "POST", "path": "/services/data/v67.0/composite/sobjects"}
    )

    with pytest.raises(CrmBusy):
        salesforce.save_contacts([by_email("ada@x.example")])
    salesforce.save_contacts([by_email("ada@x.example")])

    assert there.contacts() == 2


def test_a_read_back_without_an_answer_does_not_undo_the_write(salesforce, there):
    """The third read of the save: by address, then what was saved."""
    salesforce.save_contacts([by_email("first@x.example")])
    there.trouble("drop_after", times=1, match={"path": "/services/data/v67.0/query"})

    saved = salesforce.save_contacts([by_email("ada@x.example", Title="CTO")])["ada@x.example"]

    assert there.value(saved.record_id, "Title") == "CTO"


def test_people_stand_in_no_log(salesforce, there, caplog):
    caplog.set_level(logging.DEBUG)
    message = [{"errorCode": "MALFORMED_QUERY", "message": "ada@x.example is bad"}]
    told(there, message, status=400, times=1)

    with pytest.raises(CrmError):
        salesforce.contacts_by_email(["ada@x.example"], [])

    assert "MALFORMED" not in caplog.text
    assert "ada@x.example" not in caplog.text


def test_characters_that_no_database_stores_are_left_out(salesforce, there):
    deal = there.add_deal("x", there.open_stage, person := there.add_contact("a@x.example"))
    with there.sandbox.state.lock:
        by = there.sandbox.people.administrator
        there.sandbox.store.write(there.record(deal), {"Name": "a\0b\ud800c"}, there.now, by)

    name = salesforce.deals_of([person])[person][0].name

    assert "\0" not in name
    assert name.encode()

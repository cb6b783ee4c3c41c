"""Answers of HubSpot that the sandbox gives only when it is told to."""

from datetime import UTC, datetime

import pytest

from crm_sync.port import (
    CrmBusy,
    CrmContactWrite,
    CrmDenied,
    CrmRejected,
    CrmSilent,
    CrmTaskWrite,
    CrmUnexplained,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
UPSERT = "/crm/v3/objects/contacts/batch/upsert"
UPDATE = "/crm/v3/objects/contacts/batch/update"
READ = "/crm/v3/objects/contacts/batch/read"
CREATE_TASKS = "/crm/v3/objects/tasks/batch/create"
LINKS = "/crm/v4/associations/contacts/deals/batch/read"


def writes(many):
    return [CrmContactWrite(f"t{n}", "", f"p{n}@x.example", {}) for n in range(many)]


def task(trace, body="ref"):
    return CrmTaskWrite(trace, "1", "2", "Hot", body, NOON)


def asked(there, path):
    return sum(each["path"].startswith(path) for each in there.seen())


def test_a_batch_refused_as_a_whole_is_halved(hubspot, there):
    there.trouble("status", UPSERT, status=400, body={"message": "no"}, times=1)

    saved = hubspot.save_contacts(writes(5))

    assert all(each.record_id for each in saved.values())
    assert asked(there, UPSERT) == 3


def test_the_culprit_ends_up_alone(hubspot, there):
    """As when all are refused: five writes take nine requests, and each has its own error."""
    there.trouble("status", UPSERT, status=400, body={"message": "no"}, times=None)

    saved = hubspot.save_contacts(writes(5))

    assert [type(each) for each in saved.values()] == [CrmUnexplained] * 5
    assert asked(there, UPSERT) == 9


def test_busy_in_the_middle_leaves_the_rest_for_later(hubspot, there):
    known = there.add_contact("ada@x.example")
    there.trouble("status", UPSERT, status=429, body={}, times=1)

    saved = hubspot.save_contacts([CrmContactWrite("a", known, "", {"jobtitle": "x"}), *writes(2)])

    assert saved["a"].record_id == known
    assert isinstance(saved["t0"], CrmBusy)
    assert isinstance(saved["t1"], CrmBusy)


def test_denied_at_the_start_is_raised(hubspot, there):
    there.trouble("status", UPSERT, status=403, body={}, times=1)

    with pytest.raises(CrmDenied):
        hubspot.save_contacts(writes(3))


def test_errors_inside_an_ordinary_200_are_seen(hubspot, there):
    error = {
        "category": "VALIDATION_ERROR",
        "message": "no",
        "context": {"objectWriteTraceId": ["t1"]},
    }
    result = {"id": "7", "properties": {"email": "p0@x.example"}, "objectWriteTraceId": "t0"}
    body = {"results": [result], "errors": [error], "numErrors": 1}
    there.trouble("status", UPSERT, status=200, body=body)

    saved = hubspot.save_contacts(writes(2))

    assert saved["t0"].record_id == "7"
    assert isinstance(saved["t1"], CrmRejected)


def test_results_without_traces_are_told_by_their_address(hubspot, there):
    results = [{"id": str(n), "properties": {"email": f"P{n}@x.example"}} for n in (1, 0)]
    there.trouble("status", UPSERT, status=200, body={"results": results})

    saved = hubspot.save_contacts(writes(2))

    assert {trace: each.record_id for trace, each in saved.items()} == {"t0": "0", "t1": "1"}


def test_a_contact_of_which_nothing_is_said_is_asked_again(hubspot, there):
    there.trouble("status", UPSERT, status=200, body={"results": []})

    assert isinstance(hubspot.save_contacts(writes(1))["t0"], CrmBusy)


def test_an_error_that_names_nobody_is_that_of_who_has_no_answer(hubspot, there):
    body = {"results": [], "errors": [{"category": "VALIDATION_ERROR", "message": "no"}]}
    there.trouble("status", UPSERT, status=207, body=body)

    assert isinstance(hubspot.save_contacts(writes(1))["t0"], CrmRejected)


@pytest.mark.parametrize("errors", [[], [{"category": "VALIDATION_ERROR", "message": "no"}]])
def test_a_task_of_which_nothing_is_said_is_unknown(hubspot, there, errors):
    there.trouble("status", CREATE_TASKS, status=207, body={"results": [], "errors": errors})

    assert isinstance(hubspot.create_tasks([task("t")])["t"], CrmSilent)


def test_tasks_without_traces_are_told_by_their_text(hubspot, there):
    results = [{"id": n, "properties": {"hs_task_body": f"ref LS-{n}"}} for n in "21"]
    there.trouble("status", CREATE_TASKS, status=201, body={"results": results})

    made = hubspot.create_tasks([task("a", "ref LS-1"), task("b", "ref LS-2")])

    assert {trace: each.task_id for trace, each in made.items()} == {"a": "1", "b": "2"}


def test_a_text_that_two_tasks_have_tells_none_of_them(hubspot, there):
    results = [{"id": "1", "properties": {"hs_task_body": "same"}}]
    there.trouble("status", CREATE_TASKS, status=201, body={"results": results})

    made = hubspot.create_tasks([task("a", "same"), task("b", "same")])

    assert [type(each) for each in made.values()] == [CrmSilent, CrmSilent]


def test_an_address_that_another_record_has_updates_that_record(hubspot, there):
    ada = there.add_contact("ada@x.example")
    conflict = {
        "category": "CONFLICT",
        "message": f"Contact already exists. Existing ID: {ada}",
        "context": {"objectWriteTraceId": ["t"]},
    }
    there.trouble("status", UPSERT, status=207, body={"results": [], "errors": [conflict]})
    sent = {"email": "a.l@x.example", "jobtitle": "CTO"}

    saved = hubspot.save_contacts([CrmContactWrite("t", "", "a.l@x.example", sent)])

    assert saved["t"].record_id == ada
    assert there.value(ada, "jobtitle") == "CTO"
    assert there.value(ada, "email") == "ada@x.example"


def test_an_old_id_that_batches_do_not_follow_is_followed_alone(hubspot, there):
    kept, gone = there.add_contact("a@x.example"), there.add_contact("b@x.example")
    merged = there.merge(kept, gone)
    missing = {"category": "OBJECT_NOT_FOUND", "message": "-", "context": {"ids": [gone]}}
    there.trouble("status", READ, status=207, body={"results": [], "errors": [missing]}, times=2)

    found = hubspot.contacts_by_id([gone], [])

    assert (found[gone].record_id, found[gone].asked_id) == (merged, gone)


def test_archived_contacts_cost_no_request_each(hubspot, there):
    gone = [there.add_contact(f"p{n}@x.example") for n in range(5)]
    for record_id in gone:
        there.archive(record_id)
    before = len(there.seen())

    assert hubspot.contacts_by_id(gone, []) == {}

    assert len(there.seen()) == before + 2


@pytest.mark.parametrize("method", ["contacts_by_id", "deals_of"])
def test_a_read_that_half_failed_is_not_taken_for_nothing_there(hubspot, there, method):
    body = {"results": [], "errors": [{"category": "INTERNAL_ERROR", "message": "sorry"}]}
    there.trouble("status", status=207, body=body)

    with pytest.raises(CrmBusy):
        getattr(hubspot, method)(*(["7"], []) if method == "contacts_by_id" else (["7"],))


def test_a_cursor_that_stands_still_ends(hubspot, there):
    link = {"toObjectId": 5, "associationTypes": []}
    page = {"from": {"id": "7"}, "to": [link], "paging": {"next": {"after": "5"}}}
    there.trouble("status", LINKS, status=200, body={"results": [page]}, times=None)

    assert hubspot.deals_of(["7"]) == {"7": []}
    assert asked(there, LINKS) == 2


def test_a_bad_address_of_a_known_record_is_that_records_error(hubspot, there):
    ada, bob = there.add_contact("ada@x.example"), there.add_contact("bob@x.example")

    saved = hubspot.save_contacts([CrmContactWrite("t", bob, "", {"email": "ada@x.example"})])

    assert isinstance(saved["t"], CrmRejected)
    assert saved["t"].existing_id == ada


def test_the_value_that_was_refused_is_named_with_its_property(hubspot, there):
    known = there.add_contact("ada@x.example")
    sent = {"jobtitle": "CTO", "hs_lead_status": "HOT"}

    for write in [
        CrmContactWrite("t", "", "b@x.example", sent),
        CrmContactWrite("t", known, "", sent),
    ]:
        error = hubspot.save_contacts([write])["t"]

        assert list(error.properties) == ["hs_lead_status"]
        assert "“HOT”" in error.properties["hs_lead_status"]
        assert "“HOT”" in str(error)

import json

import pytest

from crm_sync.port import (
    CrmBusy,
    CrmDenied,
    CrmMissing,
    CrmRejected,
    CrmSilent,
    CrmUnexplained,
)
from crm_sync.salesforce.transport.calls import (
    CREATE_GUARDED_TASKS,
    CREATE_TASKS,
    DESCRIBE,
    QUERY,
    UPDATE_CONTACTS,
)
from crm_sync.salesforce.transport.errors import (
    DuplicateReference,
    RecordMoved,
    StaleFields,
    error_from_answer,
    error_from_row,
)
from crm_sync.transport.http import RawAnswer


def told(status, body, call=QUERY):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_from_answer(call, RawAnswer(status, {}, text))


def whole(code, message="no", status=400, call=QUERY, **more):
    return told(status, [{"errorCode": code, "message": message, **more}], call)


def row(code, message="no", call=UPDATE_CONTACTS, **more):
    return error_from_row(call, {"errors": [{"statusCode": code, "message": message, **more}]})


TOTAL, CONCURRENT = "TotalRequests Limit exceeded.", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."  # fmt: skip


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (whole("REQUEST_LIMIT_EXCEEDED", TOTAL, 403), CrmBusy),
        (whole("API_DISABLED_FOR_ORG", status=403), CrmDenied),
        (whole("INSUFFICIENT_ACCESS", status=403), CrmDenied),
        (whole("INVALID_SESSION_ID", status=401), CrmDenied),
        (whole("SERVER_UNAVAILABLE", status=503), CrmBusy),
        (whole("UNABLE_TO_LOCK_ROW"), CrmBusy),
        (whole("QUERY_TIMEOUT"), CrmBusy),
        (whole("INVALID_QUERY_LOCATOR"), CrmBusy),
        (whole("UNKNOWN_EXCEPTION", status=500), CrmBusy),
        (whole("UNKNOWN_EXCEPTION", status=500, call=CREATE_TASKS), CrmSilent),
        (whole("UNKNOWN_EXCEPTION", status=500, call=CREATE_GUARDED_TASKS), CrmBusy),
        (whole("NOT_FOUND", status=404), CrmDenied),
        (whole("NOT_FOUND", status=404, call=DESCRIBE), CrmMissing),
        (whole("UNSUPPORTED_API_VERSION", status=410), CrmDenied),
        (whole("INVALID_FIELD", "No such column 'X__c' on sobject of type Lead"), StaleFields),
        (whole("JSON_PARSER_ERROR"), CrmUnexplained),
        (whole("A_CODE_OF_TOMORROW"), CrmUnexplained),
        (told(503, b"<html>maintenance</html>", CREATE_TASKS), CrmSilent),
        (told(502, b""), CrmBusy),
        (told(302, b""), CrmDenied),
        (told(403, b"<html>ip restricted</html>"), CrmDenied),
        (row("INSUFFICIENT_ACCESS_OR_READONLY"), CrmUnexplained),
        (row("ENTITY_IS_DELETED"), RecordMoved),
        (row("CANNOT_UPDATE_CONVERTED_LEAD"), RecordMoved),
        (row("INVALID_CROSS_REFERENCE_KEY", fields=["OwnerId"]), CrmRejected),
        (row("DUPLICATE_VALUE"), DuplicateReference),
        (row("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phone is needed", fields=[]), CrmUnexplained),
        (row("UNKNOWN_EXCEPTION", call=CREATE_TASKS), CrmBusy),
    ],
)  # fmt: skip
def test_an_answer_means_what_the_port_calls_it(error, kind):
    assert type(error) is kind or (kind is not CrmRejected and isinstance(error, kind))


def test_one_code_is_two_limits():
    day, at_once = (
        whole("REQUEST_LIMIT_EXCEEDED", text, 403, CREATE_TASKS) for text in (TOTAL, CONCURRENT)
    )

    assert day.shared
    assert at_once.shared
    assert at_once.retry_after < 60 < day.retry_after


def test_all_fields_at_fault_are_named():
    errors = [
        {"statusCode": "STRING_TOO_LONG", "message": "data value too large", "fields": ["Title"]},
        {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "x", "fields": ["Email"]},
    ]

    error = error_from_row(UPDATE_CONTACTS, {"errors": errors})

    assert isinstance(error, CrmRejected)
    assert sorted(error.properties) == ["Email", "Title"]


def test_the_orgs_own_words_are_for_people_and_of_one_line():
    error = row("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Call\nTom\x00 first", fields=["Phone"])

    assert isinstance(error, CrmRejected)
    assert error.properties == {"Phone": "Call Tom first"}


@pytest.mark.parametrize("body", [{}, {"errors": None}, {"errors": [1]}, {"errors": [{}]}])
def test_a_row_that_says_nothing_is_refused(body):
    assert isinstance(error_from_row(CREATE_TASKS, body), CrmUnexplained)


@pytest.mark.parametrize("body", [b"[]", b"[1]", b"{}", b"[[", b"\xff", b'[{"fields": 7}]'])
def test_a_refusal_survives_whatever_its_body_is(body):
    assert isinstance(told(500, body, CREATE_TASKS), CrmSilent)
    assert isinstance(told(400, body), CrmRejected)

"""Pipedrive's answers that are none, and which error of the port each becomes."""

import json
import logging
from datetime import UTC, datetime

import pytest

from crm_sync.pipedrive.adapter import Pipedrive
from crm_sync.pipedrive.transport.errors import DayUsedUp, NotPermitted, PipedriveBlocked
from crm_sync.port import (
    CrmBusy,
    CrmContactWrite,
    CrmDenied,
    CrmMissing,
    CrmRejected,
    CrmSilent,
    CrmTaskChange,
    CrmTaskWrite,
    CrmUnexplained,
    TaskText,
)
from tests.port.pipedrive_side import TOKEN

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
EMPTY = b'{"success": true, "data": []}'
A_TASK = CrmTaskWrite(
    "t", "1", "2", "Hot lead", TaskText("ref LS-1"), datetime(2026, 5, 4, tzinfo=UTC)
)
A_CHANGE = CrmTaskChange("7", subject="x")


def http(status, body=b"", **headers):
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def refusal(status, message="no", **headers):
    return http(status, {"success": False, "error": message, "data": None}, **headers)


def test_an_ordinary_answer_is_read(pipedrive_at):
    assert pipedrive_at(http(200, EMPTY)).stages() == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal(401), CrmDenied),
        (refusal(402), CrmDenied),
        (refusal(403), NotPermitted),
        (http(403, b"<html>blocked</html>"), PipedriveBlocked),
        (refusal(404), CrmMissing),
        (refusal(410), CrmMissing),
        (refusal(400), CrmUnexplained),
        (refusal(415), CrmUnexplained),
        (refusal(422), CrmUnexplained),
        (refusal(429), CrmBusy),
        (refusal(429, x_daily_ratelimit_token_remaining="0"), DayUsedUp),
        (refusal(429, x_daily_ratelimit_token_remaining="3"), DayUsedUp),
        (http(301, b"", Location="http://127.0.0.1:1/"), CrmDenied),
        (http(302, b"", Location="https://evil.example/"), CrmDenied),
        (http(500, b"<html>\xff</html>"), CrmBusy),
        (refusal(503, "Scheduled maintenance"), CrmBusy),
        (http(204), CrmBusy),
    ],
)
def test_each_status_has_its_error(pipedrive_at, answer, error):
    with pytest.raises(error) as raised:
        pipedrive_at(answer).stages()

    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (http(500), False),
        (http(502, b"<html>"), False),
        (http(408), False),
        (http(200, b"<html>log in</html>"), False),
        (http(200, b'{"success": false, "error": "x"}'), False),
        (http(200, b"null"), False),
        (http(200, b'{"success": true, "data": null}'), False),
        (http(200, b'{"success": true}'), False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n" + EMPTY, False),
        (refusal(400), True),
        (refusal(404), True),
    ],
)
def test_an_activity_is_unknown_unless_it_was_refused(pipedrive_at, answer, known):
    made = pipedrive_at(answer).create_tasks([A_TASK])["t"]

    assert isinstance(made, CrmRejected if known else CrmSilent)


def test_a_server_that_never_answers_is_given_up(pipedrive_at):
    crm = pipedrive_at()

    with pytest.raises(CrmBusy, match="took longer"):
        crm.stages()
    assert isinstance(crm.create_tasks([A_TASK])["t"], CrmSilent)


def test_a_server_that_drips_is_given_up_although_bytes_keep_coming(pipedrive_at):
    dripped = http(200, EMPTY)
    crm = pipedrive_at(*(dripped[at : at + 1] for at in range(len(dripped))), pause=0.05)

    with pytest.raises(CrmBusy, match="took longer"):
        crm.stages()


def test_an_activity_that_never_left_us_was_not_made(settings):
    crm = Pipedrive(TOKEN, "http://127.0.0.1:1", settings.REDIS_URL)

    with pytest.raises(CrmBusy, match="cannot be reached"):
        crm.create_tasks([A_TASK])


@pytest.mark.parametrize(
    "body",
    [b"<html>oops</html>", b"\xff\xfe\x00", b"[" * 100_000, b"[1]", b'"text"', b'{"success"', b""],
    ids=["html", "not utf-8", "deep", "list", "text", "cut", "empty"],
)
def test_a_good_status_with_nonsense_is_no_answer(pipedrive_at, body):
    crm = pipedrive_at(http(200, body))

    with pytest.raises(CrmBusy):
        crm.stages()
    assert isinstance(crm.create_tasks([A_TASK])["t"], CrmSilent)


@pytest.mark.parametrize("body", [b'{"success": true, "data": null}', b'{"success": true}'])
def test_a_list_without_data_is_not_an_empty_one(pipedrive_at, body):
    """Else a task that is there would be made again."""
    with pytest.raises(CrmBusy):
        pipedrive_at(http(200, body)).tasks_of(["7"])


def test_a_redirect_is_not_followed_with_the_token(pipedrive_at):
    elsewhere = pipedrive_at(http(200, EMPTY))
    crm = pipedrive_at(http(307, b"", Location=elsewhere._client._http._base_url))

    with pytest.raises(CrmDenied, match="PIPEDRIVE_BASE_URL"):
        crm.stages()


def test_the_token_is_in_no_log_and_no_error(pipedrive_at, caplog):
    caplog.set_level(logging.DEBUG)
    for answer in (refusal(401), refusal(429), http(500), http(200, b"x"), b"junk\r\n\r\n"):
        with pytest.raises((CrmBusy, CrmDenied)) as raised:
            pipedrive_at(answer).stages()
        assert TOKEN not in repr(raised.value)

    assert TOKEN not in caplog.text


@pytest.mark.parametrize("token", ["tok\nen", "tökén"])
def test_a_token_with_strange_signs_is_refused_without_showing_it(pipedrive_at, token):
    with pytest.raises(CrmDenied) as denied:
        pipedrive_at(http(200, EMPTY), token=token).stages()

    assert token not in str(denied.value)


def test_an_answer_that_is_too_long_is_none(pipedrive_at):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n"

    with pytest.raises(CrmBusy):
        pipedrive_at(head, b" " * 20_000_000).stages()


def test_a_message_is_bounded(pipedrive_at):
    said = pipedrive_at(refusal(400, "x" * 100_000)).change_tasks([A_CHANGE])["7"]

    assert len(str(said)) < 500


# --- what is refused of a write


@pytest.mark.parametrize("named", [True, False])
def test_a_value_that_pipedrive_refuses_is_named_where_pipedrive_names_it(
    pipedrive, there, dials, named
):
    """An option that somebody took away a moment ago."""
    dials.field_errors_named = named
    code, options = there.lifecycle_property, there.field("Lifecycle stage")["options"]
    gone = next(each for each in options if each["label"] == "Lead")
    with there.sandbox.state.lock:
        there.sandbox.store.fields["persons"][code]["options"].remove(gone)

    write = CrmContactWrite("a", "", "ada@x.example", {code: "Lead"})
    first, second = (pipedrive.save_contacts([write])["a"] for _ in range(2))

    assert isinstance(first, CrmRejected)
    assert list(second.properties) == [code]
    assert there.contacts() == 0


def test_a_field_that_somebody_took_away_is_named(pipedrive, there):
    code = there.text_property
    pipedrive.contacts_by_email(["a@x.example"], [])
    there.remove_property(code)

    saved = pipedrive.save_contacts([CrmContactWrite("a", "", "ada@x.example", {code: "CTO"})])

    assert list(saved["a"].properties) == [code]
    assert pipedrive.save_contacts([CrmContactWrite("a", "", "ada@x.example", {})])["a"].record_id


def test_reading_goes_on_when_a_field_was_taken_away(pipedrive, there):
    record_id, code = there.add_contact("ada@x.example"), there.text_property
    pipedrive.contacts_by_id([record_id], [code])
    there.remove_property(code)

    assert pipedrive.contacts_by_id([record_id], [code])[record_id].properties[code] == ""
    assert "ada@x.example" in pipedrive.contacts_by_email(["ada@x.example"], [code])

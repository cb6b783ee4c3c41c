import logging
from datetime import UTC, datetime

import pytest

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.port import CrmBusy, CrmDenied, CrmSilent, CrmTaskWrite, TaskText
from crm_sync.transport import http
from tests.port.hubspot_side import TOKEN

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
EMPTY_LIST = b'{"results": []}'
A_TASK = CrmTaskWrite(
    "t", "1", "2", "Hot lead", TaskText("ref LS-1"), datetime(2026, 5, 4, tzinfo=UTC)
)


def test_an_ordinary_answer_is_read(hubspot_at):
    crm = hubspot_at(OK + b"Content-Length: 15\r\n\r\n" + EMPTY_LIST)

    assert crm.owners() == []


def test_a_server_that_never_answers_is_given_up(hubspot_at):
    crm = hubspot_at()

    with pytest.raises(CrmBusy, match="took longer"):
        crm.owners()


@pytest.mark.parametrize(
    "dripped",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + EMPTY_LIST,
        OK + b"X-Slow: 1\r\n" * 10 + b"Content-Length: 15\r\n\r\n" + EMPTY_LIST,
    ],
    ids=["body", "headers"],
)
def test_a_server_that_drips_is_given_up_although_bytes_keep_coming(hubspot_at, dripped):
    crm = hubspot_at(*(dripped[at : at + 1] for at in range(len(dripped))), pause=0.05)

    with pytest.raises(CrmBusy, match="took longer"):
        crm.owners()


def test_a_refusal_that_drips_is_given_up_too(hubspot_at):
    head = b"HTTP/1.1 500 Oh\r\nContent-Length: 40\r\n\r\n"
    crm = hubspot_at(head, *[b"x"] * 40, pause=0.05)

    with pytest.raises(CrmBusy, match="took longer"):
        crm.owners()


def test_a_task_that_nobody_answered_is_unknown(hubspot_at):
    crm = hubspot_at()

    assert isinstance(crm.create_tasks([A_TASK])["t"], CrmSilent)


def test_a_task_that_never_left_us_was_not_made(settings):
    crm = HubSpot(TOKEN, "http://127.0.0.1:1", settings.REDIS_URL)

    with pytest.raises(CrmBusy, match="cannot be reached"):
        crm.create_tasks([A_TASK])


@pytest.mark.parametrize(
    "body",
    [b"<html>oops</html>", b"\xff\xfe\x00", b"[" * 100_000, b"[1, 2]", b'"text"', b'{"results"'],
    ids=["html", "not utf-8", "deep", "list", "text", "cut"],
)
def test_a_good_status_with_nonsense_is_no_answer(hubspot_at, body):
    crm = hubspot_at(OK + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    with pytest.raises(CrmBusy):
        crm.owners()
    assert isinstance(crm.create_tasks([A_TASK])["t"], CrmSilent)


@pytest.mark.parametrize("body", [b"<html>\xff bad gateway</html>", b"", b"{}", b"\x00"])
def test_a_refusal_survives_whatever_its_body_is(hubspot_at, body):
    crm = hubspot_at(b"HTTP/1.1 502 Bad\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with pytest.raises(CrmBusy):
        crm.owners()


def test_an_answer_without_end_is_cut(hubspot_at, monkeypatch):
    monkeypatch.setattr(http, "LONGEST_ANSWER", 1_000)
    crm = hubspot_at(OK + b"\r\n" + b" " * 10_000)

    with pytest.raises(CrmBusy, match="too long"):
        crm.owners()


def test_a_redirect_is_not_followed(hubspot_at):
    crm = hubspot_at(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    )

    with pytest.raises(CrmDenied, match="redirect"):
        crm.owners()


def test_one_connection_serves_many_calls(hubspot_at):
    answer = OK + b"Content-Length: 15\r\n\r\n" + EMPTY_LIST
    crm = hubspot_at(answer)

    assert [crm.owners() for _ in range(3)] == [[], [], []]


def test_neither_token_nor_people_stand_in_errors_or_logs(hubspot_at, caplog):
    body = b'{"message": "ada@example.com is bad", "correlationId": "c-1", "category": "X"}'
    head = b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n" % len(body)
    caplog.set_level(logging.DEBUG, logger="crm_sync")

    crm = hubspot_at(head + body)
    crm.create_tasks([A_TASK])

    assert "c-1" in caplog.text
    assert "ada@example.com" not in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("token", ["pat-with\nnewline", "pat-with-ü", "pat\x00"])
def test_a_token_that_cannot_be_one_is_refused_without_being_shown(hubspot_at, token):
    crm = hubspot_at(token=token)

    with pytest.raises(CrmDenied) as denied:
        crm.owners()

    assert "HUBSPOT_ACCESS_TOKEN" in str(denied.value)
    assert token not in str(denied.value)

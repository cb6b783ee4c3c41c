"""One session for all processes."""

import json
import logging
from threading import Thread

import pytest
from redis import Redis

from crm_sync.port import CrmBusy, CrmDenied
from crm_sync.salesforce.adapter import Salesforce
from crm_sync.salesforce.transport.session import is_salesforce
from tests.port.salesforce_side import CLIENT_ID, CLIENT_SECRET, DATA

LOG_IN = "/services/oauth2/token"
AWAY = "redis://127.0.0.1:1/0"


def log_ins(there):
    return sum(each["path"] == LOG_IN for each in there.seen())


def test_processes_log_in_once(connect, there):
    for _ in range(3):
        assert connect().owners()

    assert log_ins(there) == 1


def test_a_session_that_ended_is_renewed_once_for_all(connect, there):
    processes = [connect() for _ in range(4)]
    for each in processes:
        each.account()
    there.turn("sessions_ended")
    found = []

    threads = [Thread(target=lambda each=each: found.append(each.account())) for each in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert log_ins(there) == 2


def test_a_write_that_met_an_ended_session_is_made_once(salesforce, there):
    from tests.crm_sync.salesforce.writes import a_task

    person = there.add_contact("ada@x.example")
    salesforce.contacts_by_id([person], [])
    there.turn("sessions_ended")

    made = salesforce.create_tasks([a_task(person, there.active_owner)])

    assert [each.task_id for each in salesforce.tasks_of([person])[person]] == [
        each.task_id for each in made.values()
    ]


def test_a_session_that_is_refused_at_once_is_no_third_try(connect, there):
    crm = connect()
    crm.account()
    body = [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}]
    there.trouble("status", status=401, body=body, times=9)
    before = there.requests()

    with pytest.raises(CrmDenied, match="session"):
        crm.account()

    assert there.requests() - before == 2


def test_without_redis_each_process_has_a_session(connect, there):
    for _ in range(2):
        assert connect(redis_url=AWAY).owners()

    assert log_ins(there) == 2


def test_another_secret_cannot_read_the_session(connect, there):
    connect().account()

    with pytest.raises(CrmDenied, match="SALESFORCE_CLIENT_SECRET"):
        connect(secret="another").account()


def test_an_app_that_runs_as_nobody_is_told_in_words(bare_org, there):
    there.turn("app_without_user")

    with pytest.raises(CrmDenied, match="client credentials flow"):
        bare_org.account()


def test_neither_token_nor_secret_stands_in_redis_or_in_logs(connect, there, settings, caplog):
    caplog.set_level(logging.DEBUG)
    crm = connect()
    crm.account()
    token = crm._org.client.sessions.current().token

    redis = Redis.from_url(settings.REDIS_URL, decode_responses=True)
    kept = [str(redis.get(key)) for key in redis.scan_iter("salesforce:*session*")]
    said = caplog.text + repr(crm._org.client.sessions.current())

    assert kept
    assert not any(secret in text for secret in (token, CLIENT_SECRET) for text in [*kept, said])


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "http://acme.my.salesforce.com",
        "https://salesforce.com.evil.example",
        "https://acme.my.salesforce.com@evil.example",
        "https://evil.example/.salesforce.com",
        "https://acme.my.salesforce.com/../x",
        "",
        "https://[",
        "javascript:alert(1)",
    ],
)
def test_data_is_sent_to_no_address_outside_salesforce(address):
    assert not is_salesforce(address, "https://acme.my.salesforce.com")


@pytest.mark.parametrize(
    ("address", "log_in"),
    [
        ("https://acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com/", "https://acme.my.salesforce.com"),
        ("http://127.0.0.1:8900", "http://127.0.0.1:8900"),
    ],
)
def test_the_orgs_own_addresses_are_taken(address, log_in):
    assert is_salesforce(address, log_in)


def answer(found):
    body = json.dumps(found).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def test_a_log_in_that_names_another_host_is_denied(salesforce_at):
    found = {"access_token": "t", "instance_url": "https://evil.example", "id": "https://x/id/1/2"}

    with pytest.raises(CrmDenied, match="outside Salesforce"):
        salesforce_at(answer(found)).account()


@pytest.mark.parametrize(
    "found",
    [
        {},
        [],
        {"access_token": "t\r\nX: y", "instance_url": "http://127.0.0.1:1", "id": "a/b"},
        {"access_token": "t", "instance_url": "http://127.0.0.1:1"},
    ],
)
def test_a_log_in_that_answers_no_session_is_no_answer(salesforce_at, found):
    with pytest.raises(CrmBusy):
        salesforce_at(answer(found)).account()


def test_a_redirect_of_the_log_in_is_not_followed(salesforce_at):
    head = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"

    with pytest.raises(CrmDenied, match="My Domain"):
        salesforce_at(head).account()


def test_an_org_that_cannot_be_reached_is_busy(settings):
    crm = Salesforce(CLIENT_ID, CLIENT_SECRET, "http://127.0.0.1:1", settings.REDIS_URL)

    with pytest.raises(CrmBusy):
        crm.owners()


def test_a_token_of_yesterday_is_replaced_without_a_word(connect, there):
    crm = connect()
    crm.account()
    there.trouble("status", DATA, status=401, body=[{"errorCode": "INVALID_SESSION_ID"}], times=1)

    assert crm.account().id

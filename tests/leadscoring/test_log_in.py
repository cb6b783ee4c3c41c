"""Who gets in by the form, how often one may try, and what is noted of it."""

import json
import logging
import re
import threading

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory

from leadscoring.log_in import events, hashing
from leadscoring.log_in.client import client_address
from leadscoring.operations.health import REGISTRY
from leadscoring.operations.logging import JsonFormatter
from tests.log_in import PAGE, PASSWORD, is_in, send, somebody

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_log_in")]


@pytest.fixture
def redis_away(settings) -> None:
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:9/0"}
    }


# --- the form ---------------------------------------------------------------------------------
def test_the_form_of_old_logs_in_and_leads_on():
    somebody()
    client = Client(enforce_csrf_checks=True)
    token = re.search(
        r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(PAGE).content.decode()
    )

    answer = send(client, next="/admin/auth/user/", csrfmiddlewaretoken=token[1])

    assert (answer.status_code, answer["Location"]) == (302, "/admin/auth/user/")
    assert is_in(client)


def test_the_form_shows_the_fields_by_which_others_know_it():
    page = Client().get(f"{PAGE}?next=/admin/").content.decode()

    assert all(f'name="{name}"' in page for name in ("username", "password", "next"))


@pytest.mark.parametrize(
    ("fields", "password"),
    [
        ({}, "wrong"),
        ({"is_staff": False}, PASSWORD),
        ({"is_active": False}, PASSWORD),
    ],
)
def test_who_may_not_use_the_admin_is_not_let_in(fields, password):
    somebody(**fields)
    client = Client()

    answer = send(client, password=password)

    assert answer.status_code == 200
    assert b"do not let you in" in answer.content
    assert not is_in(client)


@pytest.mark.parametrize("name", ["", "ada\0", "nobody", "ada" * 200, "🦊"])
def test_an_odd_name_is_refused(name):
    somebody()

    assert send(Client(), name).status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "http://localhost:1/"]
)
def test_nobody_is_led_elsewhere(elsewhere):
    somebody()

    assert send(Client(), next=elsewhere)["Location"] == "/admin/"


def test_who_is_in_is_led_on():
    client = Client()
    somebody()
    send(client)

    assert client.get(f"{PAGE}?next=/admin/auth/user/")["Location"] == "/admin/auth/user/"


def test_somebody_without_the_admin_who_is_in_sees_the_form_and_no_endless_way():
    client = Client()
    client.force_login(somebody(is_staff=False))

    assert client.get("/admin/", follow=True).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/", "/accounts/login/", "/accounts/signup/", "/admin/account/signup/", "/admin/account/email/",
        "/admin/account/password/reset/", "/admin/signup/",
    ],
)  # fmt: skip
def test_nobody_signs_up_or_resets(path):
    client = Client()
    client.force_login(somebody(is_superuser=True))

    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "table", ["mfa/authenticator", "usersessions/usersession", "account/emailaddress"]
)
def test_nobody_reads_the_secrets_of_others(table):
    client = Client()
    client.force_login(somebody(is_superuser=True))

    assert client.get(f"/admin/{table}/").status_code == 404


# --- how often --------------------------------------------------------------------------------
def guess(times: int, client: Client | None = None, **given) -> list[int]:
    return [
        send(client or Client(), password=f"guess {n}", **given).status_code for n in range(times)
    ]


def test_the_sixth_wrong_password_of_an_account_is_not_looked_at():
    somebody()

    assert guess(6) == [200] * 5 + [429]

    refused = send(Client())
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) == 300
    assert b"Try again in 5 minutes" in refused.content


def test_who_guesses_does_not_shut_the_owner_out():
    somebody()
    own = Client()
    send(own)
    own.post("/admin/logout/")
    guess(6)

    assert send(own).status_code == 302


def test_a_known_browser_may_not_guess_for_ever_either():
    somebody()
    own = Client()
    send(own)
    own.post("/admin/logout/")

    assert guess(6, own) == [200] * 5 + [429]


def test_a_browser_that_knows_one_account_is_a_stranger_to_another():
    somebody()
    somebody("bob")
    own = Client()
    send(own)
    guess(6, name="bob")

    assert send(own, "bob").status_code == 429


def test_an_account_is_one_by_whatever_host_and_way_of_writing_it_is_tried(settings):
    somebody()
    names = ["ada", "ADA", " ada", "ada ", "Ada"]
    hosts = [f"testserver:{port}" for port in range(5)]

    for name, host in zip(names, hosts, strict=True):
        send(Client(), name, "wrong", headers={"host": host})

    assert send(Client(), headers={"host": "testserver:99"}).status_code == 429


def test_an_address_may_not_try_one_account_after_another():
    assert [send(Client(), f"user{n}", "wrong").status_code for n in range(21)] == [200] * 20 + [
        429
    ]
    assert send(Client(REMOTE_ADDR="203.0.113.9"), "user99", "wrong").status_code == 200


def test_right_passwords_are_not_counted_as_wrong_ones():
    somebody()

    assert [send(Client()).status_code for _ in range(12)] == [302] * 12


def test_with_redis_away_log_in_works_and_is_limited(redis_away):
    somebody()
    right = send(Client(), name="ada").status_code

    assert right == 302
    assert guess(6) == [200] * 5 + [429]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, None, "192.0.2.1"),
        (0, "198.51.100.7", "192.0.2.1"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.1, 198.51.100.7", "198.51.100.7"),
        (2, "203.0.113.1, 198.51.100.7, 10.0.0.1", "198.51.100.7"),
        (2, "198.51.100.7", "192.0.2.1"),  # it did not come through both
        (1, None, "192.0.2.1"),
        (1, "<script>", "0.0.0.0"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
    ],
)
def test_a_client_does_not_choose_its_address(settings, proxies, forwarded, address):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    headers = {"x-forwarded-for": forwarded} if forwarded else {}

    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", headers=headers)

    assert client_address(request) == address


# --- one hash at a time -----------------------------------------------------------------------
class Slow:
    """Hashing that goes on until it is let go."""

    def __init__(self) -> None:
        self.begun, self.let_go = threading.Semaphore(0), threading.Event()
        self.at_once = self.most = 0

    def encode(self, hasher, password, salt, iterations=None):
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.begun.release()
        assert self.let_go.wait(30)
        self.at_once -= 1
        return f"pbkdf2_sha256$1${salt}$made"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow()
    monkeypatch.setattr(
        hashers.PBKDF2PasswordHasher, "encode", lambda *args, **given: made.encode(*args, **given)
    )
    monkeypatch.setattr(hashing, "WAITS", 30.0)
    return made


def test_one_password_is_hashed_at_a_time_one_waits_and_others_are_told_to_come_again(slow):
    hashed = []
    threads = [
        threading.Thread(target=lambda: hashed.append(hashers.make_password("a password")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    assert slow.begun.acquire(timeout=30)
    for _ in range(3_000):
        if not hashing._places._value:  # the second waits
            break
        threading.Event().wait(0.01)
    assert not hashing._places._value

    answers = [send(Client(), f"nobody{n}") for n in range(6)]

    slow.let_go.set()
    for thread in threads:
        thread.join(30)
    assert {answer.status_code for answer in answers} == {503}
    assert {answer["Retry-After"] for answer in answers} == {"2"}
    assert (len(hashed), slow.most) == (2, 1)


def test_a_try_that_was_not_looked_at_counts_for_nothing(monkeypatch):
    somebody()

    def busy(*args, **given):
        raise hashing.HashingBusyError

    with monkeypatch.context() as patched:
        patched.setattr(hashing.OneAtATimeHasher, "encode", busy)
        assert guess(8) == [503] * 8

    assert send(Client()).status_code == 302


def test_changing_and_confirming_a_password_wait_their_turn_too(monkeypatch):
    client = Client()
    client.force_login(somebody())

    def busy(*args, **given):
        raise hashing.HashingBusyError

    monkeypatch.setattr(hashing.OneAtATimeHasher, "encode", busy)
    changed = {
        "old_password": PASSWORD,
        "new_password1": "another long one",
        "new_password2": "another long one",
    }

    assert client.post("/admin/password_change/", changed).status_code == 503
    assert client.post("/admin/account/confirm/", {"password": PASSWORD}).status_code == 503


def test_passwords_of_former_releases_are_still_right():
    made = hashers.PBKDF2PasswordHasher().encode(PASSWORD, "salt")

    assert hashers.check_password(PASSWORD, made)


# --- changing it ------------------------------------------------------------------------------
def test_the_old_password_is_not_guessed_on_the_page_that_changes_it():
    client = Client()
    client.force_login(somebody())
    wrong = {"old_password": "wrong", "new_password1": "x", "new_password2": "x"}

    answers = [client.post("/admin/password_change/", wrong).status_code for _ in range(11)]

    assert answers == [200] * 10 + [429]


@pytest.mark.parametrize("password", ["short", "elevensigns", "password1234", "adalovelace-x"])
def test_a_weak_password_is_refused(password):
    with pytest.raises(ValidationError):
        validate_password(password, User(username="adalovelace"))


# --- what is noted ----------------------------------------------------------------------------
def noted(caplog: pytest.LogCaptureFixture) -> list[dict]:
    shown = [
        JsonFormatter().format(each) for each in caplog.records if each.name == events.__name__
    ]
    return [json.loads(line) for line in shown]


def counted(event: str) -> float:
    return REGISTRY.get_sample_value("leadscoring_log_in_events_total", {"event": event}) or 0


def test_what_happens_at_the_door_is_a_line_of_the_log_and_a_count(caplog):
    caplog.set_level(logging.INFO)
    ada = somebody()
    caplog.clear()
    before = {event: counted(event) for event in events.SENTENCES}
    client = Client(REMOTE_ADDR="198.51.100.7")

    send(client, password="a wrong one")
    send(client, "nobody", "a wrong one")
    send(client)
    client.post("/admin/logout/")

    lines = noted(caplog)
    assert [(line["event"], line["user"]) for line in lines] == [
        ("refused", ada.pk), ("refused", None), ("logged_in", ada.pk), ("logged_out", ada.pk)
    ]  # fmt: skip
    assert {line["client"] for line in lines} == {"198.51.100.7"}
    assert "a wrong one" not in caplog.text
    assert "nobody" not in caplog.text
    after = {event: counted(event) - before[event] for event in events.SENTENCES}
    assert {event: count for event, count in after.items() if count} == {
        "refused": 2, "logged_in": 1, "logged_out": 1
    }  # fmt: skip


def test_too_many_tries_are_noted(caplog):
    caplog.set_level(logging.INFO)
    somebody()
    before = counted("throttled")

    guess(6)

    assert noted(caplog)[-1]["event"] == "throttled"
    assert counted("throttled") == before + 1


def test_a_new_password_is_noted_by_whatever_way_it_was_given(caplog):
    caplog.set_level(logging.INFO)
    ada = somebody()
    caplog.clear()

    ada.set_password("another long one")
    ada.save()

    assert [(line["event"], line["user"]) for line in noted(caplog)] == [
        ("password_changed", ada.pk)
    ]


def test_with_redis_away_the_figures_are_left_out(redis_away):
    assert (
        REGISTRY.get_sample_value("leadscoring_log_in_events_total", {"event": "refused"}) is None
    )


def test_other_keys_of_the_cache_tell_that_redis_is_away(redis_away):
    from redis import RedisError

    with pytest.raises(RedisError):
        cache.get("heartbeat:beat")

"""Webhooks without a signature: a password, the records that they name, and what they alone tell."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from crm_sync.pipedrive.adapter import Pipedrive
from crm_sync.pipedrive.records.webhook_registration import WebhookTarget
from crm_sync.pipedrive.webhooks import PipedriveWebhooks
from crm_sync.port import CrmForged, CrmHint, Posted
from tests.crm_sync.hubspot.bare import BareServer
from tests.crm_sync.pipedrive.test_errors import http
from tests.port.pipedrive_side import TOKEN

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PASSWORD = "a long word that nobody guesses"


def posted(body, password=PASSWORD, user="leadscoring"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    word = b64encode(f"{user}:{password}".encode()).decode()
    return Posted("POST", "https://x.example/", {"authorization": f"Basic {word}"}, content)


def event(**meta):
    known = {
        "action": "change",
        "entity": "person",
        "entity_id": "7",
        "company_id": 42,
        "timestamp": "2026-05-04T11:59:00Z",
        "change_source": "app",
        "user_id": 5,
    }
    return {"meta": known | meta, "data": {}, "previous": None}


def hints(body, own_user="9"):
    return PipedriveWebhooks(PASSWORD, lambda: own_user).hints(posted(body), NOON)


def test_a_change_is_a_hint():
    changed = CrmHint("contact", "7", "changed", NOON - timedelta(minutes=1), "42")

    assert hints(event()) == [changed]


@pytest.mark.parametrize(
    ("action", "what"),
    [("create", "changed"), ("change", "changed"), ("delete", "deleted"), ("new", "changed")],
)
@pytest.mark.parametrize(("entity", "kind"), [("person", "contact"), ("deal", "deal")])
def test_what_happened_is_told(entity, kind, action, what):
    (hint,) = hints(event(entity=entity, action=action))

    assert (hint.kind, hint.what) == (kind, what)


def test_a_merge_says_who_became_whom():
    (gone,) = hints(event(action="delete", merged_to_id=8))
    kept, was = hints(event(entity_id="8", merged_from_id=7))

    assert (gone.record_id, gone.what, gone.merged_into) == ("7", "merged", "8")
    assert (kept.record_id, kept.what) == ("8", "changed")
    assert (was.record_id, was.merged_into) == ("7", "8")


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ({"change_source": "api", "user_id": 9}, False),
        ({"change_source": "api", "user_id": 5}, True),
        ({"change_source": "app", "user_id": 9}, True),
        ({"change_source": "api", "user_id": None}, True),
        ({"change_source": "api", "user_id": 9, "merged_from_id": 3}, True),
    ],
)
def test_what_we_changed_ourselves_is_no_news(meta, told):
    assert bool(hints(event(**meta))) is told


def test_nothing_is_ours_while_the_tokens_user_is_not_known():
    assert hints(event(change_source="api", user_id=""), own_user="")


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        ("2026-05-04T11:00:00.123Z", NOON.replace(hour=11, microsecond=123_000)),
        (1777892400, datetime.fromtimestamp(1777892400, UTC)),
        ("1777892400", datetime.fromtimestamp(1777892400, UTC)),
        ("2099-01-01T00:00:00Z", NOON),
        (10**17, NOON),
        (None, NOON),
        ("soon", NOON),
    ],
)
def test_both_forms_of_time_are_read(timestamp, at):
    (hint,) = hints(event(timestamp=timestamp))

    assert hint.occurred_at == at


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[" * 10_000,
        [],
        {},
        {"meta": None},
        {"meta": []},
        event(entity="note"),
        event(entity_id=""),
        event(entity_id="1; drop"),
        event(entity_id={"a": 1}),
        event(entity_id=True),
        event(entity_id="9" * 40),
    ],
)
def test_what_names_no_record_is_no_hint(body):
    assert hints(body) == []


@pytest.mark.parametrize(
    "request_",
    [
        posted(event(), password="wrong"),
        posted(event(), password=""),
        posted(event(), user="admin"),
        Posted("POST", "", {}, b"{}"),
        Posted("POST", "", {"authorization": "Bearer x"}, b"{}"),
        Posted("POST", "", {"authorization": "Basic \udcff"}, b"{}"),
    ],
)
def test_a_request_without_the_password_is_forged(request_):
    with pytest.raises(CrmForged):
        PipedriveWebhooks(PASSWORD).hints(request_, NOON)


def test_without_a_password_every_request_is_refused():
    webhooks = PipedriveWebhooks("")

    assert not webhooks.enabled
    with pytest.raises(CrmForged):
        webhooks.hints(posted(event(), password=""), NOON)


# --- the registration


@pytest.fixture
def with_webhooks(there, settings, pipedrive):
    """Pipedrive tries the address before it takes it."""
    with BareServer((http(204),)) as ours:
        target = WebhookTarget(f"{ours.url}/webhooks/pipedrive", PASSWORD)
        yield Pipedrive(TOKEN, there.url, settings.REDIS_URL, target)


def test_an_address_that_pipedrive_does_not_reach_is_told(there, settings, pipedrive):
    target = WebhookTarget("http://127.0.0.1:1/webhooks/pipedrive", PASSWORD)
    crm = Pipedrive(TOKEN, there.url, settings.REDIS_URL, target)

    steps = crm.set_up([], plan=False)

    assert ["non-reachable" in step.problem for step in steps] == [True, True]


def test_set_up_registers_what_is_missing_once(with_webhooks, there):
    planned = with_webhooks.set_up([], plan=True)
    assert there.ask("GET", "/v1/webhooks")["data"] == []

    done = with_webhooks.set_up([], plan=False)

    assert [step.problem for step in done] == [""] * len(planned)
    assert with_webhooks.set_up([], plan=False) == []
    kept = there.ask("GET", "/v1/webhooks")["data"]
    assert sorted(each["event_object"] for each in kept) == ["deal", "person"]


def test_the_password_is_in_no_step_no_audit_and_no_log(with_webhooks, there, caplog):
    steps = with_webhooks.set_up([], plan=False)
    audit = with_webhooks.audit([], [], NOON)

    assert PASSWORD not in repr(steps) + repr(audit) + caplog.text + repr(with_webhooks._target)


def test_the_audit_sees_that_a_webhook_is_gone(with_webhooks, there):
    with_webhooks.set_up([], plan=False)
    assert list(with_webhooks.audit([], [], NOON).problems) == []
    one = there.ask("GET", "/v1/webhooks")["data"][0]
    there.ask("DELETE", f"/v1/webhooks/{one['id']}")

    (flaw,) = with_webhooks.audit([], [], NOON).problems

    assert (one["event_object"] in flaw.what, flaw.stops) == (True, False)


def test_without_a_password_nothing_is_registered(pipedrive, there):
    pipedrive.set_up([], plan=False)

    assert there.ask("GET", "/v1/webhooks")["data"] == []

"""The ledger over HTTP."""

import pytest

from leadscoring import api_keys
from tests.crm_sync.makers import a_contact, a_handoff

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(client):
    _, key = api_keys.create_key("test")

    def ask(**query):
        return client.get("/api/v1/handoffs", query, headers={"Authorization": f"Bearer {key}"})

    return ask


def test_a_handoff_has_the_contracts_fields(ask):
    row = a_handoff(a_contact("ada@engines.example"))

    (told,) = ask().json()["handoffs"]

    assert told == {
        "id": row.pk,
        "contact": row.contact_id,
        "email": "ada@engines.example",
        "cycle": 1,
        "score": 82.0,
        "status": "waiting",
        "because": "",
        "attempts": 0,
        "crossed_at": "2026-05-04T10:00:00Z",
        "delivered_at": None,
        "record_id": None,
        "task_id": None,
        "owner_id": None,
        "reference": row.reference,
    }


def test_filters_by_status_and_by_contact_either_way(ask):
    ada = a_contact("ada@engines.example")
    first = a_handoff(ada, status="withdrawn", reason="Already a customer.")
    second = a_handoff(ada, cycle=2)
    a_handoff()

    assert [each["id"] for each in ask(contact="Ada@engines.example").json()["handoffs"]] == [
        second.pk,
        first.pk,
    ]
    assert [each["id"] for each in ask(contact=ada.pk, status="withdrawn").json()["handoffs"]] == [
        first.pk
    ]
    assert ask(contact="nobody@engines.example").json() == {"handoffs": [], "next_cursor": None}


def test_pages_have_each_row_once(ask):
    rows = [a_handoff().pk for _ in range(205)]

    seen, cursor = [], ""
    while cursor is not None:
        page = ask(cursor=cursor).json()
        seen += [each["id"] for each in page["handoffs"]]
        cursor = page["next_cursor"]

    assert seen == rows[::-1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "lost"}, "status"),
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": "-1"}, "cursor"),
        ({"cursor": "9" * 40}, "cursor"),
        ({"contact": "9" * 40}, "contact"),
        ({"contact": "٣"}, "contact"),
    ],
)
def test_a_parameter_that_cannot_be_right_is_named(ask, query, field):
    answer = ask(**query)

    assert answer.status_code == 422
    assert list(answer.json()["error"]["fields"]) == [field]


def test_without_a_key_nothing_is_told(client):
    assert client.get("/api/v1/handoffs").status_code == 401


def test_nonsense_for_an_address_finds_nobody(ask):
    assert ask(contact="\0'; drop table").json()["handoffs"] == []

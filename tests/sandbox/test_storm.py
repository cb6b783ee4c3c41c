"""A storm: any request goes wrong with one chance, in any way, and the same way again."""

import pytest

from sandbox.hubspot.trouble import TROUBLE
from sandbox.server.faults import Storm
from tests.sandbox.conftest import Hub

CONTACTS = "/crm/v3/objects/contacts"
TASKS = "/crm/v3/objects/tasks"
TRACED = b'{"inputs":[{"objectWriteTraceId":"t"}]}'


def struck(hub: Hub) -> dict[str, int]:
    found: dict[str, int] = hub.get("/sandbox/faults").json()["struck"]
    return found


def test_a_storm_strikes_its_share_and_ends_when_told(hub: Hub) -> None:
    storm = hub.post("/sandbox/storm", {"share": 0, "seed": 7}).json()
    codes = {hub.get(CONTACTS).status_code for _ in range(20)}
    ended = hub.ask("DELETE", "/sandbox/storm").json()

    assert (storm["share"], storm["seed"], ended) == (0, 7, {})
    assert (codes, struck(hub)) == ({200}, {})


def strikes(seed: int, share: float = 0.05, body: bytes = TRACED) -> list[str]:
    storm = Storm(share, seed, TROUBLE.stormy())
    found = (storm.strike("POST", f"{TASKS}/batch/create", body) for _ in range(20_000))
    return [fault.name if fault else "" for fault in found]


def test_a_storm_is_the_same_again_with_the_same_seed() -> None:
    assert strikes(7) == strikes(7) != strikes(8)


def test_a_storm_strikes_evenly_with_every_fault_that_it_may() -> None:
    names = [name for name in strikes(7) if name]
    expected = {dial.name for dial in TROUBLE.dials.values() if dial.in_storm}

    assert 900 < len(names) < 1_100
    assert set(names) == expected
    assert min(map(names.count, expected)) > len(names) / len(expected) / 2


def test_a_storm_spoils_no_batch_without_traces() -> None:
    names = set(strikes(7, share=1, body=b"{}"))

    assert names == {dial.name for dial in TROUBLE.dials.values() if dial.in_storm} - {"partial"}


def test_no_storm_uses_up_the_day_or_refuses_a_value() -> None:
    names = {fault.name for fault in TROUBLE.stormy()}

    assert names.isdisjoint({"daily", "partial_refused"})
    assert {"drop_before", "drop_after", "slow", "dripping", "garbage", "partial"} < names


@pytest.mark.parametrize(
    "sent", [{}, {"share": 2}, {"share": -1}, {"share": "1"}, {"share": 0.1, "seed": "x"}, []]
)
def test_a_storm_that_cannot_be_is_refused(hub: Hub, sent: object) -> None:
    assert hub.post("/sandbox/storm", sent).status_code == 400

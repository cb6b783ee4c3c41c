"""A short storm over the whole product. `make chaos` is the long one."""

import secrets

import pytest
from rich.console import Console

from tests.chaos.ground import pauses
from tests.chaos.report import report
from tests.chaos.storm import Outcome, storm
from tests.chaos.trouble import kinds

CROSSINGS = 500


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    """Another seed each time; it is printed with whatever fails, and replayed by naming it."""
    console = Console(soft_wrap=True)
    outcome = storm(secrets.randbelow(1_000_000), CROSSINGS, 0, console)
    report(outcome, console)
    return outcome


def test_no_crossing_is_lost_or_doubled_and_no_task_is_on_nobody(outcome: Outcome):
    assert outcome.findings.crossings == CROSSINGS
    assert outcome.findings.clean, (
        f"python -m tests.chaos --seed {outcome.seed} --crossings {CROSSINGS} --kills 0 --quick"
    )


def test_all_is_delivered_within_a_minute_of_the_end_of_the_faults(outcome: Outcome):
    assert outcome.recovered is not None, f"seed {outcome.seed}: {outcome.stuck}"


def test_no_row_of_the_ledger_needs_a_person_after_it(outcome: Outcome):
    assert set(outcome.findings.states) == {"delivered"}, outcome.findings.causes


def test_every_trouble_struck_every_fault_too_and_workers_ended_at_every_named_place(
    outcome: Outcome,
):
    assert set(outcome.struck) == {each.name for each in kinds()}
    assert {place for place, times in outcome.reached.items() if times} == set(pauses())
    assert [name for name, times in outcome.faults.items() if not times] == []


def test_the_product_finds_nothing_wrong_either(outcome: Outcome):
    found = {name: outcome.reconciled[name] for name in ("missing", "duplicate", "unknown")}

    assert found == {"missing": [], "duplicate": [], "unknown": []}
    assert outcome.reconciled["delivered"] == CROSSINGS

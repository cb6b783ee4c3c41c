"""A server that failed is left alone for a while, and the memory of it ends."""

import pytest

from leadscoring.common.outage import OutageMemory


class Clock:
    seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def memory(clock):
    return OutageMemory(5.0, clock)


def test_nothing_is_known_of_a_server_before_the_first_try(memory):
    assert (memory.is_known(), memory.is_out(), memory.reason) == (False, False, "")


def test_a_failure_stands_for_so_many_seconds(memory, clock):
    memory.record_failure("timed out")

    clock.seconds = 4.9
    assert memory.is_out()
    clock.seconds = 5.0
    assert not memory.is_out()
    assert memory.reason == "timed out"


def test_each_failure_prolongs_the_outage(memory, clock):
    memory.record_failure("timed out")
    clock.seconds = 4.0
    memory.record_failure("timed out")

    clock.seconds = 8.9

    assert memory.is_out()


def test_a_success_is_known_for_as_long_and_is_no_outage(memory, clock):
    memory.record_success()

    assert (memory.is_known(), memory.is_out()) == (True, False)
    clock.seconds = 5.0
    assert not memory.is_known()


def test_an_outage_begins_once_and_ends_once(memory):
    assert [memory.record_failure("away"), memory.record_failure("away")] == [True, False]
    assert [memory.record_success(), memory.record_success()] == [True, False]
    assert memory.reason == ""

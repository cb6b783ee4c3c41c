"""For the tests of log-in."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def quick_log_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords are hashed fast, and no tries of other tests count: slow to guess is slow to test."""
    # This file is read before there are settings.
    from leadscoring.log_in import hashing
    from tests.log_in import forget_tries

    monkeypatch.setattr(hashing.OneAtATimeHasher, "iterations", 1)
    forget_tries()
    yield
    forget_tries()

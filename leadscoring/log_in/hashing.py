"""Passwords are hashed one at a time in a process, so that its other threads stay free for intake.

A hash takes some 0.3 s of a processor on purpose. Without a bound, as many guessers as there are
threads would keep them all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from django.contrib.auth.hashers import PBKDF2PasswordHasher

# Of the four threads of a process one hashes and one waits; two are left.
MOST_WAITING, WAITS = 1, 2.0  # seconds
RETRY_AFTER = 2  # seconds
_hashing = Lock()
_places = BoundedSemaphore(1 + MOST_WAITING)


class HashingBusyError(Exception):
    """Enough passwords are being hashed in this process: try again in a moment."""


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait for the turn to hash. Raise HashingBusyError when others wait already or it takes long."""
    if not _places.acquire(blocking=False):
        raise HashingBusyError
    try:
        if not _hashing.acquire(timeout=WAITS):
            raise HashingBusyError
        try:
            yield
        finally:
            _hashing.release()
    finally:
        _places.release()


class OneAtATimeHasher(PBKDF2PasswordHasher):
    """Django's own hasher; what it made before is still valid."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with one_at_a_time():
            return super().encode(password, salt, iterations)

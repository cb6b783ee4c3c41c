"""One lock for each address, for all workers: nothing in Pipedrive refuses a second person.

docs/pipedrive-facts.md#no-unique-address
"""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from crm_sync.pipedrive.records.person_search import address_hash
from crm_sync.port import CrmBusy
from crm_sync.transport.redis_state import RedisState

# A person is made within the first part of the time, so that the lock outlasts the request.
HELD_SECONDS = 180
USABLE_SECONDS = 120.0
# Deletes a lock that is still the caller's.
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


class AddressLocks:
    def __init__(self, shared: RedisState) -> None:
        self._shared = shared

    def take(self, emails: Iterable[str]) -> dict[str, str]:
        """Lock addresses for HELD_SECONDS; return the lock of each that nobody else holds.

        Raise CrmBusy when Redis is away.
        """

        def lock(redis: Any) -> dict[str, str]:
            locks = {email: uuid4().hex for email in emails}
            return {
                email: lock
                for email, lock in locks.items()
                if redis.set(self._key(email), lock, ex=HELD_SECONDS, nx=True)
            }

        taken = self._shared.ask(lock)
        if taken is None:
            raise CrmBusy("People are not made while the locks of their addresses cannot be had.")
        return taken

    def release(self, locks: dict[str, str]) -> None:
        """Unlock what take() has locked."""

        def unlock(redis: Any) -> None:
            for email, lock in locks.items():
                redis.eval(RELEASE, 1, self._key(email), lock)

        self._shared.ask(unlock)

    def _key(self, email: str) -> str:
        return self._shared.key(f"making:{address_hash(email)}")

"""Choose the kind of the activities that we make: each account has its own.

docs/pipedrive-facts.md#activity-types
"""

from crm_sync.pipedrive.records.lists import objects_of, text_at
from crm_sync.pipedrive.transport.calls import ACTIVITY_TYPES
from crm_sync.pipedrive.transport.client import PipedriveClient
from crm_sync.transport.redis_state import RedisState

# In this order, as far as the account uses them.
WANTED = ("call", "task", "email")
KNOWN_SECONDS = 24 * 3600


class ActivityTypeMemory:
    """Calls are assumed until Pipedrive refuses one: to ask costs as much as four activities."""

    def __init__(self, shared: RedisState) -> None:
        self._shared = shared

    def usual(self) -> str:
        key = self._shared.key("activity-type")
        return str(self._shared.ask(lambda redis: redis.get(key)) or WANTED[0])

    def choose(self, client: PipedriveClient) -> str:
        """Read which kinds the account uses, and keep the best; "" when there is none."""
        active = active_types(client)
        found = next((each for each in WANTED if each in active), active[0] if active else "")
        key = self._shared.key("activity-type")
        if found:
            self._shared.ask(lambda redis: redis.set(key, found, ex=KNOWN_SECONDS))
        return found


def active_types(client: PipedriveClient) -> list[str]:
    """Return the keys of the kinds of activities that the account uses."""
    found = objects_of(client.ask(ACTIVITY_TYPES))
    return [
        text_at(each, "key_string")
        for each in found
        if each.get("active_flag") in (True, 1) and text_at(each, "key_string")
    ]

"""Know whether the account has Campaigns, without which nobody has a marketing status.

docs/pipedrive-facts.md#opt-out
"""

from crm_sync.pipedrive.records.lists import objects_of
from crm_sync.pipedrive.transport.calls import LIST_PERSONS
from crm_sync.pipedrive.transport.client import PipedriveClient
from crm_sync.pipedrive.transport.errors import NotPermitted
from crm_sync.port import CrmRejected
from crm_sync.transport.redis_state import RedisState

MARKETING_STATUS = "marketing_status"
UNSUBSCRIBED = "unsubscribed"
UNWANTED = (UNSUBSCRIBED, "archived")
KNOWN_SECONDS = 24 * 3600
THERE, ABSENT = "there", "absent"


class CampaignsMemory:
    """Asked once a day, of one person."""

    def __init__(self, shared: RedisState) -> None:
        self._shared = shared

    def are_there(self, client: PipedriveClient) -> bool:
        key = self._shared.key("campaigns")
        known = self._shared.ask(lambda redis: redis.get(key))
        if known is None:
            known = self._probe(client)
            if known:
                self._shared.ask(lambda redis: redis.set(key, known, ex=KNOWN_SECONDS))
        return known == THERE

    def _probe(self, client: PipedriveClient) -> str:
        """Ask; return "" while there is nobody. Whether an account without Campaigns refuses the question
        or leaves the answer out is not documented."""
        query = [("include_fields", MARKETING_STATUS), ("limit", "1")]
        try:
            found = objects_of(client.ask(LIST_PERSONS, query=query))
        except (CrmRejected, NotPermitted):
            return ABSENT
        if not found:
            return ""
        return THERE if MARKETING_STATUS in found[0] else ABSENT

"""What is known of the account without a request, kept for all processes of a token."""

import re
from urllib.parse import urlsplit

from crm_sync.pipedrive.records.lists import id_text, object_of, text_at
from crm_sync.pipedrive.transport.calls import ME
from crm_sync.pipedrive.transport.client import Json, PipedriveClient
from crm_sync.pipedrive.transport.errors import silent_or_busy
from crm_sync.transport.redis_state import RedisState

KNOWN_SECONDS = 7 * 24 * 3600
PUBLIC_HOST = "api.pipedrive.com"


class AccountMemory:
    """The account's own pages, and the token's user: of a record that we make, Pipedrive makes that user
    the owner, so it counts as nobody's. docs/pipedrive-facts.md#owners-of-new-records
    """

    def __init__(self, shared: RedisState, base_url: str) -> None:
        self._shared = shared
        self._base_url = base_url.rstrip("/")
        self._known: dict[str, str] = {}

    def read(self, client: PipedriveClient) -> Json:
        """Return the account as Pipedrive tells it, and keep what others need of it."""
        found = object_of(client.ask(ME))
        if not id_text(found.get("company_id")):
            raise silent_or_busy(ME, "the answer names no company")
        self._keep("user", id_text(found.get("id")))
        self._keep("pages", self._pages(text_at(found, "company_domain")))
        return found

    def own_user(self, client: PipedriveClient) -> str:
        """Return the id of the token's user."""
        return self.known_user() or id_text(self.read(client).get("id"))

    def known_user(self) -> str:
        """Return the id of the token's user, "" while no process has read the account."""
        return self._kept("user")

    def pages(self) -> str:
        """Return the address of the account's pages, "" while no process has read the account."""
        return self._kept("pages")

    def _pages(self, domain: str) -> str:
        """Return the company's own address. A domain that is none is not made into a link."""
        is_public = urlsplit(self._base_url).hostname == PUBLIC_HOST
        if is_public and re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", domain):
            return f"https://{domain}.pipedrive.com"
        return self._base_url

    def _keep(self, name: str, value: str) -> None:
        if value and self._known.get(name) != value:
            self._known[name] = value
            key = self._shared.key(name)
            self._shared.ask(lambda redis: redis.set(key, value, ex=KNOWN_SECONDS))

    def _kept(self, name: str) -> str:
        if name not in self._known:
            key = self._shared.key(name)
            if found := self._shared.ask(lambda redis: redis.get(key)):
                self._known[name] = str(found)
        return self._known.get(name, "")

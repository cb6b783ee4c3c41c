"""Keep one `ApiClient` of the client library, over our own HTTP transport."""

from functools import cached_property
from typing import Any

from crm_sync.hubspot.transport.http import TOTAL_SECONDS, HttpTransport
from crm_sync.port import CrmDenied


class Sdk:
    """Create the client on first use. Belongs to one process.

    docs/hubspot-facts.md#library-objects
    """

    def __init__(self, token: str, base_url: str, seconds: float = TOTAL_SECONDS) -> None:
        self._token = token
        self._base_url = base_url
        self._seconds = seconds

    @cached_property
    def api(self) -> Any:
        if not (self._token.isascii() and self._token.isprintable()):
            # http.client would refuse the header with an error that shows the token.
            raise CrmDenied("HUBSPOT_ACCESS_TOKEN has signs in it that no token has.")
        # Imported when first used: 150 ms and 14 MB that processes without a CRM need not pay.
        # Any module's ApiClient reaches every path; the one of owners is the smallest.
        from hubspot import Client as HubSpotClient

        # `retry`: docs/hubspot-facts.md#library-timeouts-and-retries
        wrapped = HubSpotClient.create(
            access_token=self._token, host=self._base_url, retry=False
        ).crm.owners.owners_api.api_client
        wrapped.rest_client.pool_manager = HttpTransport(self._seconds)
        return wrapped

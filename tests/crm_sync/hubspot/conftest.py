from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from crm_sync.hubspot.adapter import HubSpot
from sandbox.hubspot.server import Sandbox
from tests.crm_sync.hubspot.bare import BareServer
from tests.port.hubspot_side import TOKEN, HubSpotSide


@pytest.fixture
def there(sandbox: Sandbox) -> HubSpotSide:
    sandbox.settings.rate = 10_000
    return HubSpotSide(sandbox)


@pytest.fixture
def hubspot(there, sandbox, settings) -> HubSpot:
    return HubSpot(TOKEN, sandbox.url, settings.REDIS_URL)


@pytest.fixture
def hubspot_at(settings) -> Iterator[Callable[..., HubSpot]]:
    """An adapter whose HubSpot is a bare server that sends the given pieces, however wrong."""
    with ExitStack() as stack:

        def connected(*pieces: bytes, pause: float = 0.0, token: str = TOKEN) -> HubSpot:
            server = stack.enter_context(BareServer(pieces, pause))
            return HubSpot(token, server.url, settings.REDIS_URL, seconds=server.patience)

        yield connected

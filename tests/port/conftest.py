"""Each adapter that the contract is held against: the adapter, and the other side of it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.transport.versions import CLASSIC, DATED
from crm_sync.port import Crm, CrmProperty
from crm_sync.sandbox.server import Sandbox
from tests.port.hubspot_side import TOKEN, HubSpotSide
from tests.port.other_side import OtherSide

Sides = tuple[Crm, OtherSide]
Connecting = Callable[[str], AbstractContextManager[Sides]]


def hubspot(version: str) -> Connecting:
    @contextmanager
    def connected(redis_url: str) -> Iterator[Sides]:
        with Sandbox(TOKEN, rate=10_000) as sandbox:
            yield (
                HubSpot(TOKEN, sandbox.url, redis_url, version=version),
                HubSpotSide(sandbox, version),
            )

    return connected


# An adapter is added here: how it is connected to the other side of it.
ADAPTERS = {
    "hubspot": hubspot(CLASSIC),
    **{f"hubspot-{version}": hubspot(version) for version in DATED},
}


@pytest.fixture(params=ADAPTERS)
def sides(request, settings) -> Iterator[Sides]:
    with ADAPTERS[request.param](settings.REDIS_URL) as (adapter, there):
        adapter.set_up([CrmProperty("lead_score", "Lead score", "number")], plan=False)
        yield adapter, there


@pytest.fixture
def crm(sides) -> Crm:
    return sides[0]


@pytest.fixture
def another(crm, there, settings):
    """The same CRM as somebody with other credentials has it."""
    return lambda token: type(crm)(token, there.url, settings.REDIS_URL)


@pytest.fixture
def there(sides) -> OtherSide:
    return sides[1]

"""Each adapter that the contract is held against: the adapter, and the other side of it."""

from collections.abc import Iterator

import pytest

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.port import Crm, CrmProperty
from crm_sync.sandbox.server import Sandbox
from tests.port.hubspot_side import TOKEN, HubSpotSide
from tests.port.other_side import OtherSide


@pytest.fixture(params=["hubspot"])
def sides(request, settings) -> Iterator[tuple[Crm, OtherSide]]:
    with Sandbox(TOKEN, rate=10_000) as sandbox:
        adapter = HubSpot(TOKEN, sandbox.url, settings.REDIS_URL)
        adapter.set_up([CrmProperty("lead_score", "Lead score", "number")], plan=False)
        yield adapter, HubSpotSide(sandbox)


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

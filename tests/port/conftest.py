"""Each adapter that the contract is held against: the adapter, and the other side of it."""

from collections.abc import Callable

import pytest

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.transport.versions import CLASSIC, DATED
from crm_sync.pipedrive.adapter import Pipedrive
from crm_sync.port import Crm, CrmProperty
from sandbox.hubspot.server import Sandbox
from sandbox.pipedrive.server import Sandbox as PipedriveSandbox
from tests.port.hubspot_side import TOKEN, HubSpotSide
from tests.port.other_side import OtherSide
from tests.port.pipedrive_side import TOKEN as PIPEDRIVE_TOKEN
from tests.port.pipedrive_side import PipedriveSide

Sides = tuple[Crm, OtherSide]
Connecting = Callable[[pytest.FixtureRequest, str], Sides]


def hubspot(version: str) -> Connecting:
    def connected(request: pytest.FixtureRequest, redis_url: str) -> Sides:
        sandbox: Sandbox = request.getfixturevalue("sandbox")
        sandbox.settings.rate = 10_000
        crm = HubSpot(TOKEN, sandbox.url, redis_url, version=version)
        return crm, HubSpotSide(sandbox, version)

    return connected


def pipedrive(request: pytest.FixtureRequest, redis_url: str) -> Sides:
    sandbox: PipedriveSandbox = request.getfixturevalue("pipedrive_sandbox")
    return Pipedrive(PIPEDRIVE_TOKEN, sandbox.url, redis_url), PipedriveSide(sandbox)


# An adapter is added here: how it is connected to the other side of it.
ADAPTERS = {
    "hubspot": hubspot(CLASSIC),
    **{f"hubspot-{version}": hubspot(version) for version in DATED},
    "pipedrive": pipedrive,
}


@pytest.fixture(params=ADAPTERS)
def sides(request, settings) -> Sides:
    adapter, there = ADAPTERS[request.param](request, settings.REDIS_URL)
    score = CrmProperty("lead_score", "Lead score", "number")
    adapter.set_up([score, *adapter.made_properties], plan=False)
    return adapter, there


@pytest.fixture(autouse=True)
def needed_ability(request):
    mark = request.node.get_closest_marker("needs")
    if mark and mark.args[0] not in request.getfixturevalue("there").abilities:
        pytest.skip(f"this CRM lacks: {mark.args[0]}")


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

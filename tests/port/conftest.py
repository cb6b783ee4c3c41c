"""Each adapter that the contract is held against: the adapter, and the other side of it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.transport.versions import CLASSIC, DATED
from crm_sync.pipedrive.adapter import Pipedrive
from crm_sync.port import Crm, CrmProperty
from crm_sync.salesforce.adapter import Salesforce
from sandbox.hubspot.server import Sandbox
from sandbox.pipedrive.server import Sandbox as PipedriveSandbox
from sandbox.salesforce.server import Sandbox as SalesforceSandbox
from tests.port.hubspot_side import HubSpotSide
from tests.port.other_side import OtherSide
from tests.port.pipedrive_side import PipedriveSide
from tests.port.salesforce_side import (
    CLIENT_ID,
    CLIENT_SECRET,
    SalesforceSide,
    forget_salesforce,
)

Sides = tuple[Crm, OtherSide]


class Adapter(NamedTuple):
    """`side`: the other side of it, as on its first day. `connect`: the adapter, by the token that it
    is given, the other side, and Redis.
    """

    side: Callable[[pytest.FixtureRequest, str], Any]
    connect: Callable[[str, Any, str], Crm]


def hubspot(version: str) -> Adapter:
    def side(request: pytest.FixtureRequest, redis_url: str) -> HubSpotSide:
        sandbox: Sandbox = request.getfixturevalue("sandbox")
        sandbox.settings.rate = 10_000
        return HubSpotSide(sandbox, version)

    return Adapter(
        side, lambda token, there, redis_url: HubSpot(token, there.url, redis_url, version=version)
    )


def pipedrive_side(request: pytest.FixtureRequest, redis_url: str) -> PipedriveSide:
    sandbox: PipedriveSandbox = request.getfixturevalue("pipedrive_sandbox")
    return PipedriveSide(sandbox)


def pipedrive(token: str, there: PipedriveSide, redis_url: str) -> Pipedrive:
    return Pipedrive(token, there.url, redis_url)


def salesforce_side(kind: str) -> Callable[[pytest.FixtureRequest, str], SalesforceSide]:
    """`kind`: what people are there: contacts, or leads."""

    def side(request: pytest.FixtureRequest, redis_url: str) -> SalesforceSide:
        standin: SalesforceSandbox = request.getfixturevalue("salesforce_standin")
        standin.reset()
        forget_salesforce(redis_url)
        return SalesforceSide(standin, kind)

    return side


def salesforce(token: str, there: SalesforceSide, redis_url: str) -> Salesforce:
    return Salesforce(token, there.secret, there.url, redis_url)


# An adapter is added here: the other side of it, and how it is connected to that.
ADAPTERS = {
    "hubspot": hubspot(CLASSIC),
    **{f"hubspot-{version}": hubspot(version) for version in DATED},
    "salesforce": Adapter(salesforce_side("Contact"), salesforce),
    "salesforce-leads": Adapter(salesforce_side("Lead"), salesforce),
    "pipedrive": Adapter(pipedrive_side, pipedrive),
}


@pytest.fixture(scope="session")
def salesforce_standin() -> Iterator[SalesforceSandbox]:
    with SalesforceSandbox(CLIENT_ID, CLIENT_SECRET, daily=0) as running:
        yield running


@pytest.fixture(params=ADAPTERS)
def sides(request, settings) -> Sides:
    side, connect = ADAPTERS[request.param]
    there = side(request, settings.REDIS_URL)
    adapter = connect(there.token, there, settings.REDIS_URL)
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
def another(request, there, settings):
    """The same CRM as somebody with other credentials has it."""
    connect = ADAPTERS[request.node.callspec.params["sides"]].connect
    return lambda token: connect(token, there, settings.REDIS_URL)


@pytest.fixture
def there(sides) -> OtherSide:
    return sides[1]

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from crm_sync.port import CrmProperty
from crm_sync.salesforce.adapter import Salesforce
from sandbox.salesforce.server import Sandbox
from tests.crm_sync.hubspot.bare import BareServer
from tests.port.salesforce_side import (
    CLIENT_ID,
    CLIENT_SECRET,
    SalesforceSide,
    forget_salesforce,
)

Connect = Callable[..., Salesforce]


@pytest.fixture(scope="session")
def salesforce_standin() -> Iterator[Sandbox]:
    with Sandbox(CLIENT_ID, CLIENT_SECRET, daily=0) as running:
        yield running


@pytest.fixture
def there(salesforce_standin: Sandbox, settings) -> SalesforceSide:
    salesforce_standin.reset()
    forget_salesforce(settings.REDIS_URL)
    return SalesforceSide(salesforce_standin)


@pytest.fixture
def connect(there: SalesforceSide, settings) -> Connect:
    """The adapter of another process each time."""

    def adapter(secret: str = CLIENT_SECRET, redis_url: str = "") -> Salesforce:
        return Salesforce(CLIENT_ID, secret, there.url, redis_url or settings.REDIS_URL)

    return adapter


@pytest.fixture
def bare_org(connect: Connect) -> Salesforce:
    """An org without any field of ours."""
    return connect()


@pytest.fixture
def salesforce(bare_org: Salesforce) -> Salesforce:
    bare_org.set_up([CrmProperty("lead_score", "Lead score", "number")], plan=False)
    return bare_org


@pytest.fixture
def salesforce_at(settings) -> Iterator[Callable[..., Salesforce]]:
    """An adapter whose org is a bare server that sends the given pieces, however wrong."""
    with ExitStack() as stack:

        def connected(*pieces: bytes, pause: float = 0.0) -> Salesforce:
            server = stack.enter_context(BareServer(pieces, pause))
            return Salesforce(
                CLIENT_ID, CLIENT_SECRET, server.url, settings.REDIS_URL, seconds=server.patience
            )

        yield connected

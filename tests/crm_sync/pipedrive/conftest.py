from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from crm_sync.pipedrive.adapter import Pipedrive
from crm_sync.port import CrmProperty
from sandbox.pipedrive.server import Sandbox
from tests.crm_sync.hubspot.bare import BareServer
from tests.port.pipedrive_side import TOKEN, PipedriveSide

SCORE = CrmProperty("lead_score", "Lead score", "number")


@pytest.fixture
def there(pipedrive_sandbox: Sandbox) -> PipedriveSide:
    return PipedriveSide(pipedrive_sandbox)


@pytest.fixture
def new_account(there, settings) -> Pipedrive:
    """The adapter of an account that was never set up."""
    return Pipedrive(TOKEN, there.url, settings.REDIS_URL)


@pytest.fixture
def pipedrive(new_account) -> Pipedrive:
    new_account.set_up([SCORE, *new_account.made_properties], plan=False)
    return new_account


@pytest.fixture
def dials(there):
    """What is to be tried of Pipedrive: how the stand-in does it."""
    return there.sandbox.settings


@pytest.fixture
def asked(there) -> Callable[[], list[str]]:
    """What was asked since the last time, as method and path."""
    seen = len(there.seen())

    def since() -> list[str]:
        nonlocal seen
        own, found = list(there.own), there.seen()
        new, seen = found[seen:], len(found)
        calls = [(each["method"], each["path"].partition("?")[0]) for each in new]
        there.own.clear()
        for call in own:
            if call in calls:
                calls.remove(call)
        return [f"{method} {path}" for method, path in calls]

    there.own.clear()
    return since


@pytest.fixture
def pipedrive_at(settings) -> Iterator[Callable[..., Pipedrive]]:
    """An adapter whose Pipedrive is a bare server that sends the given pieces, however wrong."""
    with ExitStack() as stack:

        def connected(*pieces: bytes, pause: float = 0.0, token: str = TOKEN) -> Pipedrive:
            server = stack.enter_context(BareServer(pieces, pause))
            return Pipedrive(token, server.url, settings.REDIS_URL, seconds=server.patience)

        yield connected

"""The real adapter and the stand-in behind it, for whoever asks for `crm`."""

import pytest

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.defaults import MAPPING
from crm_sync.hubspot.transport import buckets
from crm_sync.port import Crm
from crm_sync.transport.rate_limit_script import Bucket
from sandbox.hubspot.server import Sandbox
from tests.port.hubspot_side import TOKEN, HubSpotSide


@pytest.fixture
def there(sandbox: Sandbox, monkeypatch) -> HubSpotSide:
    """The CRM's own side: to put things there, to look, to make trouble.

    Without the limit of five searches a second, which would be the slowest part of most tests.
    """
    monkeypatch.setitem(buckets.BUCKETS, "search", (Bucket("search", 1, 10_000),))
    sandbox.settings.search_rate = 0
    return HubSpotSide(sandbox)


@pytest.fixture(scope="session")
def account_set_up(standin: Sandbox) -> bytes:
    """The account after `crm_setup`, asked for over HTTP once for all tests."""
    # Models can be imported only after Django's set-up, which comes later than this file.
    from django.conf import settings

    from crm_sync.mapping.record_values import wanted_properties
    from crm_sync.models import FieldMapping

    standin.reset()
    fields = [FieldMapping(**field._asdict()) for field in MAPPING]
    adapter = HubSpot(TOKEN, standin.url, settings.REDIS_URL, 10_000)
    adapter.set_up(wanted_properties(fields), plan=False)
    return standin.snapshot()


@pytest.fixture
def crm(account_set_up: bytes, there: HubSpotSide, settings) -> Crm:
    there.sandbox.restore(account_set_up)
    return HubSpot(TOKEN, there.sandbox.url, settings.REDIS_URL, 10_000)

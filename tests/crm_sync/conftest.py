"""The real adapter and the stand-in behind it, for whoever asks for `crm`."""

from collections.abc import Iterator

import pytest

from crm_sync.hubspot.adapter import HubSpot
from crm_sync.hubspot.defaults import MAPPING
from crm_sync.hubspot.transport import rate_limit_script
from crm_sync.port import Crm
from crm_sync.sandbox.server import Sandbox
from tests.port.hubspot_side import TOKEN, HubSpotSide


@pytest.fixture
def there() -> Iterator[HubSpotSide]:
    """The CRM's own side: to put things there, to look, to make trouble."""
    with Sandbox(TOKEN, rate=0) as sandbox:
        yield HubSpotSide(sandbox)


@pytest.fixture
def crm(there: HubSpotSide, settings) -> Crm:
    # Models can be imported only after Django's set-up, which comes later than this file.
    from crm_sync.mapping.record_values import wanted_properties
    from crm_sync.models import FieldMapping

    adapter = HubSpot(TOKEN, there.sandbox.url, settings.REDIS_URL, 10_000)
    fields = [FieldMapping(**field._asdict()) for field in MAPPING]
    adapter.set_up(wanted_properties(fields), plan=False)
    there.sandbox.state.log.clear()
    return adapter


@pytest.fixture
def no_pace(monkeypatch, there):
    """Five searches a second would be the slowest part of many tests."""
    monkeypatch.setitem(
        rate_limit_script.BUCKETS, "search", (rate_limit_script.Bucket("search", 1, 10_000),)
    )
    there.sandbox.settings.search_rate = 0

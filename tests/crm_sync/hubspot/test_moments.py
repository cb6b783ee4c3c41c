from datetime import UTC, datetime

import pytest

from crm_sync.hubspot.timestamps import format_instant, parse_instant_value

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["1777896000000", "2026-05-04T12:00:00Z", "2026-05-04T14:00:00.000+02:00"]
)
def test_instants_come_as_milliseconds_or_as_text(text):
    assert parse_instant_value(text) == NOON


@pytest.mark.parametrize("text", ["", "soon", "-5", "9" * 40, "²", "2026-13-01"])
def test_what_is_no_instant_is_none(text):
    assert parse_instant_value(text) is None


def test_what_is_written_is_read():
    assert parse_instant_value(format_instant(NOON)) == NOON

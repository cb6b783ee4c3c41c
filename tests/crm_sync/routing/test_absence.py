"""Whether a rep may take a lead now."""

from datetime import UTC, date, datetime

import pytest

from crm_sync.routing.availability import unavailable_reason
from tests.crm_sync.makers import MONDAY, an_unsaved_rep

TENTH, TWELFTH = date(2026, 5, 10), date(2026, 5, 12)


def on(day, **fields):
    """What hinders a rep at noon of a day of May 2026."""
    return unavailable_reason(
        an_unsaved_rep("kim", **fields), datetime(2026, 5, day, 12, tzinfo=UTC), "UTC"
    )


@pytest.mark.parametrize(
    ("day", "hindered"),
    [(9, ""), (10, "is away until 12 May"), (12, "is away until 12 May"), (13, "")],
)
def test_away_is_from_the_first_day_to_the_last(day, hindered):
    assert on(day, away_from=TENTH, away_until=TWELFTH) == hindered


@pytest.mark.parametrize(("day", "hindered"), [(9, ""), (10, "is away"), (31, "is away")])
def test_without_a_last_day_away_is_until_further_notice(day, hindered):
    assert on(day, away_from=TENTH) == hindered


def test_without_a_first_day_away_is_from_now_on():
    assert (on(1, away_until=TWELFTH), on(13, away_until=TWELFTH)) == ("is away until 12 May", "")


def test_another_year_is_named():
    assert on(1, away_until=date(2027, 1, 3)) == "is away until 3 January 2027"


def test_a_day_away_is_that_of_the_reps_time_zone():
    """Monday, 10:00 UTC is Tuesday, 00:00 in Kiritimati."""
    there = an_unsaved_rep("kim", away_until=MONDAY.date(), time_zone="Pacific/Kiritimati")

    assert unavailable_reason(there, MONDAY, "UTC") == ""
    there.time_zone = ""
    assert unavailable_reason(there, MONDAY, "Europe/Berlin") == "is away until 4 May"

"""By when a lead should have been called: in the rep's hours, days, holidays and time zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync.models import Owner
from crm_sync.routing.working_hours import (
    HOURS_TO_RESPOND,
    WorkingHours,
    holidays_of,
    task_due_at,
    time_zone_named,
    working_hours,
)
from tests.crm_sync.makers import MONDAY

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "Australia/Lord_Howe")  # fmt: skip
HALF_DAY = WorkingHours(opens=time(9), closes=time(12))


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def said(moment):
    return moment.isoformat()[:16]


@pytest.mark.parametrize(
    ("since", "zone", "grade", "due"),
    [
        ("2026-05-04T10:00", "UTC", "A1", "2026-05-04T11:00"),
        ("2026-05-04T10:00", "UTC", "A2", "2026-05-04T12:00"),
        ("2026-05-04T10:00", "UTC", "D4", "2026-05-04T14:00"),
        ("2026-05-04T16:30", "UTC", "A1", "2026-05-05T09:30"),
        ("2026-05-04T14:00", "UTC", "C1", "2026-05-05T10:00"),
        ("2026-05-04T03:00", "UTC", "A1", "2026-05-04T10:00"),
        ("2026-05-04T17:00", "UTC", "A1", "2026-05-05T10:00"),
        ("2026-05-08T16:59", "UTC", "A1", "2026-05-11T09:59"),
        ("2026-05-09T12:00", "UTC", "A1", "2026-05-11T10:00"),
        ("2026-05-10T23:59", "UTC", "B2", "2026-05-11T13:00"),
        ("2026-05-04T20:00", "America/New_York", "A1", "2026-05-04T21:00"),
        ("2026-05-04T21:30", "America/New_York", "A1", "2026-05-05T14:00"),
        # Summer time began, and ended, between.
        ("2026-03-27T16:30", "Europe/Berlin", "A1", "2026-03-30T08:00"),
        ("2026-10-23T15:30", "Europe/Berlin", "A1", "2026-10-26T09:00"),
        ("2026-05-04T10:00", "No/Where", "A1", "2026-05-04T11:00"),
        ("2026-05-04T10:00", "../etc/passwd", "A1", "2026-05-04T11:00"),
    ],
)
def test_due_in_the_reps_working_hours(since, zone, grade, due):
    assert said(task_due_at(utc(since), WorkingHours(time_zone_named(zone)), grade)) == due


def test_a_night_in_which_the_clocks_go_forward_has_an_hour_less():
    """Berlin, 29 March 2026: from 1 to 5 by the clock on the wall are three hours."""
    nights = WorkingHours(ZoneInfo("Europe/Berlin"), frozenset({7}), time(1), time(5))

    assert said(task_due_at(utc("2026-03-29T00:00"), nights, "C3")) == "2026-04-05T00:00"


def test_a_working_day_that_ends_in_the_hour_that_is_left_out_does_no_harm():
    nights = WorkingHours(ZoneInfo("Europe/Berlin"), frozenset({7}), time(2, 30), time(3))

    assert said(task_due_at(utc("2026-03-28T00:00"), nights, "A1")) == "2026-04-12T01:00"


def test_holidays_are_no_working_days():
    """May Day 2026 is a Friday."""
    german = WorkingHours(off=holidays_of("DE", ""))

    assert said(task_due_at(utc("2026-04-30T16:30"), german, "A1")) == "2026-05-04T09:30"


def test_holidays_are_those_of_the_region():
    """Epiphany, 6 January 2026, a Tuesday, is kept in Bavaria and not in Berlin."""
    at = utc("2026-01-06T10:00")

    assert (
        said(task_due_at(at, WorkingHours(off=holidays_of("DE", "BY")), "A1")) == "2026-01-07T10:00"
    )
    assert (
        said(task_due_at(at, WorkingHours(off=holidays_of("DE", "BE")), "A1")) == "2026-01-06T11:00"
    )


@pytest.mark.parametrize("where", [("", ""), ("XX", ""), ("DE", "Atlantis"), ("", "BY")])
def test_a_country_that_nobody_knows_has_no_holidays(where):
    assert date(2026, 12, 25) not in holidays_of(*where)


def test_a_rep_without_a_working_day_works_from_monday_to_friday():
    never = working_hours(Owner(working_days=""), "UTC")

    assert said(task_due_at(utc("2026-05-09T12:00"), never, "A1")) == "2026-05-11T10:00"


def test_and_also_has_holidays():
    never = working_hours(Owner(working_days="", country="DE"), "UTC")

    assert said(task_due_at(utc("2026-05-01T12:00"), never, "A1")) == "2026-05-04T10:00"


class EveryDay:
    def __contains__(self, day):
        return True


def test_a_calendar_of_holidays_alone_counts_as_none():
    assert said(task_due_at(MONDAY, WorkingHours(off=EveryDay()), "A1")) == "2026-05-04T11:00"


def test_whoever_works_a_minute_a_week_is_due_when_we_stop_looking():
    rarely = WorkingHours(days=frozenset({1}), opens=time(9), closes=time(9, 1))

    assert said(task_due_at(MONDAY, rarely, "A1")) == "2026-06-29T09:01"


def test_the_hours_are_those_on_the_reps_row():
    rep = Owner(time_zone="Asia/Kolkata", working_days="67", opens=time(8), closes=time(11),
                country="IN")  # fmt: skip
    hours = working_hours(rep, "Europe/Berlin")

    assert said(task_due_at(MONDAY, hours, "A1")) == "2026-05-09T03:30"
    assert date(2026, 8, 15) in hours.off


def test_a_rep_without_a_time_zone_is_in_the_accounts():
    assert working_hours(Owner(), "Asia/Kolkata").zone == ZoneInfo("Asia/Kolkata")


moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
grades = st.sampled_from([f + e for f in "ABCD" for e in "1234"])
quarters = st.tuples(st.integers(0, 95), st.integers(0, 95)).filter(lambda two: two[0] < two[1])


@st.composite
def calendars(draw):
    opens, closes = draw(quarters)
    return WorkingHours(
        zone=ZoneInfo(draw(st.sampled_from(ZONES))),
        days=draw(st.frozensets(st.integers(1, 7), min_size=1)),
        opens=time(opens // 4, opens % 4 * 15),
        closes=time(closes // 4, closes % 4 * 15),
        off=holidays_of(draw(st.sampled_from(["", "DE", "US", "JP"])), ""),
    )


@given(moments, calendars(), grades)
def test_it_is_always_due_later_and_within_working_hours(since, hours, grade):
    due = task_due_at(since, hours, grade)

    there = due.astimezone(hours.zone)
    assert due > since
    assert there.isoweekday() in hours.days
    assert there.date() not in hours.off
    # An hour that the clocks skip is told as the one after.
    assert hours.opens <= there.time() <= hours.closes or gap(there)


def gap(there):
    """Whether the clocks changed on that day."""
    midnight = datetime.combine(there.date(), time(), there.tzinfo)
    return midnight.utcoffset() != (midnight + timedelta(days=1)).utcoffset()


@given(moments, calendars(), grades)
def test_whoever_crosses_later_is_never_due_earlier(since, hours, grade):
    later = since + timedelta(hours=5)

    assert task_due_at(since, hours, grade) <= task_due_at(later, hours, grade)


@given(moments, calendars())
def test_a_hotter_lead_is_never_due_later(since, hours):
    assert (
        task_due_at(since, hours, "A1")
        <= task_due_at(since, hours, "A2")
        <= task_due_at(since, hours, "D4")
    )


@given(moments, st.sampled_from(ZONES), grades)
def test_whoever_always_works_has_exactly_the_time_to_respond(since, zone, grade):
    """Away from midnight, where the last minute of a day is not worked."""
    always = WorkingHours(
        ZoneInfo(zone), frozenset(range(1, 8)), time(0), time(23, 59, 59, 999_999)
    )

    length = task_due_at(since, always, grade) - since

    assert timedelta() <= length - timedelta(hours=HOURS_TO_RESPOND.get(grade, 4)) < timedelta(seconds=1)  # fmt: skip

"""A mapping is checked against the account's types and options, and told which field is wrong."""

import pytest

from crm_sync.mapping.field_compatibility import find_misfit
from crm_sync.models import FieldMapping
from crm_sync.port import CrmProperty

GRADES = tuple(fit + engagement for fit in "ABCD" for engagement in "1234")
THERE = [
    CrmProperty("title", "Job Title", "text"),
    CrmProperty("notes", "Notes", "long_text"),
    CrmProperty("points", "Points", "number"),
    CrmProperty("grade", "Grade", "enumeration", GRADES),
    CrmProperty("size", "Size", "enumeration", ("s", "m"), ("Small", "m")),
    CrmProperty("stage", "Stage", "enumeration", ("lead", "marketing")),
    CrmProperty("day", "Day", "date"),
    CrmProperty("moment", "Moment", "datetime"),
    CrmProperty("vip", "VIP", "yes_no", ("true", "false"), ("Yes", "No")),
    CrmProperty("place", "Place", "other"),
    CrmProperty("seen", "Last seen", "text", read_only=True),
]
STAGES = {"lead": "lead", "mql": "marketing"}


def of(source, property_, **fields):
    return find_misfit(FieldMapping(source=source, property=property_, **fields), THERE, STAGES)


@pytest.mark.parametrize(
    ("source", "property_", "fields"),
    [
        ("job_title", "title", {}),
        ("job_title", "notes", {}),
        ("score", "points", {}),
        ("score", "title", {}),
        ("grade", "grade", {}),
        ("lifecycle_stage", "stage", {}),
        ("qualified_at", "moment", {}),
        ("qualified_at", "day", {"format": "day"}),
        ("constant", "size", {"value": "s"}),
        ("constant", "vip", {"value": "true"}),
        ("constant", "points", {"value": "12.5"}),
        ("constant", "day", {"value": "2026-05-04"}),
        ("constant", "moment", {"value": "2026-05-04T10:00:00Z"}),
        ("score", "not_there_yet", {}),  # set-up makes it
        ("job_title", "seen", {"direction": "in"}),
        ("country", "size", {"direction": "in"}),
    ],
)
def test_what_fits(source, property_, fields):
    assert of(source, property_, **fields) is None


@pytest.mark.parametrize(
    ("source", "property_", "fields", "field", "words"),
    [
        ("job_title", "no_such", {}, "property", "no property of this name"),
        ("job_title", "seen", {}, "property", "Nobody may write to “Last seen”"),
        ("job_title", "points", {}, "property", "takes a number, and text or"),
        ("job_title", "place", {}, "property", "does not know"),
        ("reasons", "size", {}, "property", "takes a choice"),
        ("score", "moment", {}, "property", "takes a time"),
        ("grade", "size", {}, "property", "“Size” has no choice A1, A2"),
        ("lifecycle_stage", "size", {}, "property", "has no choice lead, marketing."),
        ("qualified_at", "day", {}, "format", "takes a day: choose the other format"),
        ("qualified_at", "moment", {"format": "day"}, "format", "takes a time"),
        ("constant", "size", {"value": "xl"}, "value", "one of these: s (Small), m."),
        ("constant", "vip", {"value": "yes"}, "value", "true (Yes), false (No)"),
        ("constant", "points", {"value": "many"}, "value", "a number, such as 12.5"),
        ("constant", "points", {"value": "inf"}, "value", "a number"),
        ("constant", "day", {"value": "4 May"}, "value", "a day, such as 2026-05-04"),
        ("constant", "moment", {"value": "2026-05-04T10:00:00"}, "value", "a time"),
        ("constant", "place", {"value": "x"}, "property", "does not know"),
        ("first_name", "points", {"direction": "in"}, "property", "takes a number"),
    ],
)
def test_what_does_not_fit_is_told_with_field_and_reason(source, property_, fields, field, words):
    wrong = of(source, property_, **fields)

    assert wrong is not None
    assert wrong[0] == field
    assert words in wrong[1]

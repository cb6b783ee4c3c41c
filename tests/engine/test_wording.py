from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscoring.engine import describe_rule, parse_model, wording

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
MAY = datetime(2026, 5, 4, tzinfo=UTC)
LAST_YEAR = datetime(2025, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "last_at", "sentence"),
    [
        (3, MAY, "Visited pricing 3 times, last on 4 May"),
        (1, MAY, "Visited pricing on 4 May"),
        (2, LAST_YEAR, "Visited pricing 2 times, last on 31 December 2025"),
    ],
)
def test_activities_are_told_with_count_and_day(count, last_at, sentence):
    assert wording.activities_sentence("Visited pricing", count, last_at, NOON) == sentence


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (["VP Marketing"], "Senior: VP Marketing"),
        (["VP", 50.0], "Senior: VP, 50"),
        ([None, ""], "Senior"),
        ([["a", "b", "c", "d"]], "Senior: a, b, c"),
        ([{"a": "b"}], "Senior"),
        ([True], "Senior: true"),
        (["VP\n\x00\u202eeht\x7f"], "Senior: VP eht"),
    ],
)
def test_a_profile_rule_shows_what_it_rests_on(facts, sentence):
    assert wording.profile_sentence("Senior", facts) == sentence


@given(st.text(max_size=400) | st.lists(st.text()) | st.floats() | st.integers() | st.booleans())
def test_evidence_is_short_and_printable_whatever_people_typed(fact):
    shown = wording.format_fact(fact)

    assert shown.isprintable()
    assert shown == shown.strip()
    assert len(shown) <= (
        wording.LONGEST if not isinstance(fact, list) else 3 * wording.LONGEST + 4
    )


def test_a_megabyte_of_name_is_cut():
    assert wording.format_fact("x" * 1_000_000) == "x" * (wording.LONGEST - 1) + "…"


@pytest.mark.parametrize(
    ("number", "shown"),
    [(12.0, "12"), (12.5, "12.5"), (1250, "1,250"), (0.25, "0.25"), (-3.1, "-3.1")],
)
def test_figures_have_no_empty_decimals(number, shown):
    assert wording.format_figure(number) == shown


RULES = [
    (
        "points: 15, half_life_days: 14, at_most: {count: 3, per_days: 7}, cap: 30, "
        "when: {activity: page_view, where: {url__contains: /pricing}}",
        "15 points for each page view whose url contains /pricing, halved every 14 days, "
        "at most 3 in 7 days, at most 30 in all",
    ),
    (
        "points: 20, when: {profile: {job_title__icontains: [vp, head, chief]}}",
        "20 points when job title contains vp, head or chief (in any case)",
    ),
    (
        "disqualify: true, when: {profile: {email_domain__in: [rival.example]}}",
        "disqualifies when email domain is rival.example",
    ),
    (
        "disqualify: true, window_days: 30, when: {activity: spam_complaint}",
        "disqualifies on any spam complaint, only in the last 30 days",
    ),
    (
        "points: -1, half_life_days: 1, at_most: {count: 2, per_days: 1}, "
        "when: {activity: [email_open, email_click]}",
        "−1 point for each email open or email click, halved every day, at most 2 in a day",
    ),
    (
        "points: 5, when: {activity: reply, profile: {size__gte: 1000, phone__isnull: false}}",
        "5 points for each activity, when it is a reply and size is at least 1,000 "
        "and phone is known",
    ),
    (
        "points: 5, when: {any: [{profile: {a: x}}, {not: {all: [{profile: {b: 1}}, {profile: {c__d__exact: true}}]}}]}",
        "5 points when a is x, or it is not so that (b is 1 and c d is true)",
    ),
]


@pytest.mark.parametrize(("rule", "sentence"), RULES)
def test_a_rule_is_one_readable_sentence(rule, sentence):
    text = f"name: x\nthresholds: {{mql: 1, handoff: 2}}\nrules: [{{key: k, group: fit, {rule}}}]"

    assert describe_rule(parse_model(text).rules[0]) == sentence

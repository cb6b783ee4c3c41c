from dataclasses import replace
from datetime import datetime, timedelta
from math import fsum
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscoring.engine import (
    RECENT_PER_TYPE,
    ActivityFact,
    Caps,
    Grades,
    Profile,
    Rule,
    ScoreResult,
    ScoringModel,
    compute_score,
)
from leadscoring.engine.rules import ActivityIs, AtMost, FactIs, Not, ProfileIs
from tests.bench.plain import plain_score
from tests.engine.strategies import NOON, THRESHOLDS, logs, models, profiles

VIEW = ActivityIs(("page_view",))
NOBODY = Profile({})
NO_CAPS = Caps()
LATER = timedelta(days=0.5)


def a_rule(key: str = "views", points: float = 10.0, **more: object) -> Rule:
    given = {"label": "Viewed", "group": "engagement", "when": VIEW} | more
    return Rule(key=key, points=points, **given)  # type: ignore[arg-type]


def a_model(*rules: Rule, caps: Caps = NO_CAPS) -> ScoringModel:
    return ScoringModel("test", THRESHOLDS, caps, Grades(), rules)


def views(*days_ago: float) -> list[ActivityFact]:
    return [
        ActivityFact("page_view", NOON - timedelta(days=days), {}, "web", f"{number}")
        for number, days in enumerate(days_ago)
    ]


def total(log: list[ActivityFact], *rules: Rule, at: datetime = NOON) -> float:
    return compute_score(NOBODY, log, a_model(*rules), at).total


def shown(scored: ScoreResult) -> tuple[object, ...]:
    parts = {part.rule: (part.points, part.count) for part in scored.contributions}
    return scored.total, scored.fit, scored.engagement, parts, scored.disqualified


@given(profiles, logs, models())
def test_the_engine_says_what_a_plain_reading_of_the_rules_says(profile, log, model):
    scored = compute_score(profile, log, model, NOON)

    assert shown(scored) == plain_score(profile, log, model, NOON)


@given(profiles, logs, models())
def test_the_total_is_the_sum_of_its_contributions(profile, log, model):
    scored = compute_score(profile, log, model, NOON)

    assert scored.total == round(sum(part.points for part in scored.contributions), 2)
    assert scored.total == round(scored.fit + scored.engagement, 2)


@given(profiles, logs, models(), st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(profile, log, model, random: Random):
    shuffled = [*log, *log[::2]]
    random.shuffle(shuffled)

    assert compute_score(profile, shuffled, model, NOON) == compute_score(profile, log, model, NOON)


@given(profiles, logs, models())
def test_what_happens_later_counts_nothing_but_makes_a_score_move(profile, log, model):
    past = [activity for activity in log if activity.at <= NOON]
    plan = model.plan
    to_come = [one for one in log if one.at > NOON and plan.kinds.get(one.type) in plan.heard]

    scored = compute_score(profile, log, model, NOON)

    before = compute_score(profile, past, model, NOON)
    assert scored == replace(before, moves=before.moves or bool(to_come))


@given(profiles, logs, models(), st.integers(1, 60))
def test_a_score_that_does_not_move_is_the_same_at_any_later_time(profile, log, model, halves):
    scored = compute_score(profile, log, model, NOON)

    later = compute_score(profile, log, model, NOON + halves * LATER)

    assert scored.moves or shown(later) == shown(scored)


@given(profiles, logs, models())
def test_caps_of_groups_and_total_hold(profile, log, model):
    scored = compute_score(profile, log, model, NOON)

    for figure, cap in (
        (scored.fit, model.caps.fit),
        (scored.engagement, model.caps.engagement),
        (scored.total, model.caps.total),
    ):
        excused = any(part.points > 0 for part in scored.contributions)
        assert cap is None or figure <= cap or not excused


@given(logs, models())
def test_types_that_no_rule_wants_need_not_be_loaded(log, model):
    wanted = model.activity_types

    loaded = [one for one in log if wanted is None or one.type in wanted]

    assert compute_score(NOBODY, loaded, model, NOON) == compute_score(NOBODY, log, model, NOON)


@given(st.integers(1, 90), st.integers(1, 12))
def test_points_halve_at_each_half_life(half_life, halvings):
    rule = a_rule(points=4_096, half_life_days=half_life)

    assert total(views(half_life * halvings), rule) == 4_096 / 2**halvings


def test_a_decayed_score_of_nothing_no_longer_moves():
    scored = compute_score(NOBODY, views(400), a_model(a_rule(half_life_days=14)), NOON)

    assert (scored.total, scored.contributions, scored.moves) == (0.0, (), False)


MICROSECOND = 1 / 86_400_000_000


@pytest.mark.parametrize(
    ("days_ago", "worth"), [(0, 10), (7 - MICROSECOND, 10), (7, 0), (7 + MICROSECOND, 0)]
)
def test_a_window_is_open_at_its_far_end(days_ago, worth):
    assert total(views(days_ago), a_rule(window_days=7)) == worth


@pytest.mark.parametrize(
    ("days_ago", "counted"),
    [
        ((0, 0, 0, 0), 3),
        ((0, 1, 2, 6, 6.9), 3),
        ((0, 0, 0, 7), 4),
        ((0, 0, 0, 7 - MICROSECOND), 3),
        ((0, 1, 2, 3, 7, 8, 9, 10), 6),
        ((30, 30, 30, 30), 3),
    ],
)
def test_at_most_three_count_in_any_seven_days(days_ago, counted):
    rule = a_rule(points=1, at_most=AtMost(3, 7))

    assert total(views(*days_ago), rule) == counted


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(0, 40), st.sampled_from((None, 3)))
def test_one_more_activity_never_lowers_a_thinned_score(days_ago, one_more, half_life):
    rule = a_rule(at_most=AtMost(2, 7), half_life_days=half_life)

    assert total(views(*days_ago, one_more), rule) >= total(views(*days_ago), rule)


@given(st.lists(st.floats(0, 40), max_size=12), st.integers(0, 40))
def test_an_activity_that_leaves_the_window_changes_nothing_in_the_others(days_ago, window):
    thinned = a_rule(at_most=AtMost(2, 7), window_days=window or 1)
    inside = [days for days in days_ago if days < (window or 1)]

    assert total(views(*days_ago), thinned) == total(views(*inside), thinned)


@pytest.mark.parametrize(("points", "worth"), [(10, 25), (-10, -25)])
def test_the_cap_of_a_rule_holds_either_way(points, worth):
    assert total(views(1, 2, 3), a_rule(points=points, cap=25)) == worth


def test_a_cap_cuts_the_weakest_and_says_so():
    strong, weak = a_rule("strong", 40), a_rule("weak", 22, label="Came by")
    model = a_model(strong, weak, caps=Caps(engagement=50))

    scored = compute_score(NOBODY, views(1), model, NOON)

    assert [(part.rule, part.points) for part in scored.contributions] == [
        ("strong", 40),
        ("weak", 10),
    ]
    assert scored.contributions[1].reason == (
        "Came by on 19 May, 12 points above the limit of 50 not counted"
    )


def test_the_total_cap_cuts_across_groups():
    fit = a_rule("fit", 30, group="fit")
    model = a_model(fit, a_rule("much", 50), caps=Caps(total=60))

    scored = compute_score(NOBODY, views(1), model, NOON)

    assert (scored.total, scored.fit, scored.engagement, scored.grade) == (60, 10, 50, "C1")


def test_negative_points_count_before_the_cap():
    model = a_model(a_rule("good", 60), a_rule("bad", -20), caps=Caps(engagement=50))

    assert compute_score(NOBODY, views(1), model, NOON).total == 40


RIVAL = ProfileIs((FactIs(("email_domain",), "in", ("rival.example",)),))


def test_a_disqualifier_makes_all_nothing_and_is_the_only_reason():
    rival = Rule("rival", "Competitor", "fit", RIVAL, disqualify=True)
    profile = Profile.of({"email": "a@Rival.example"}, {})

    scored = compute_score(profile, views(1), a_model(a_rule(half_life_days=7), rival), NOON)

    assert (scored.total, scored.fit, scored.engagement, scored.grade) == (0, 0, 0, "D4")
    assert scored.disqualified
    assert not scored.moves
    assert [part.reason for part in scored.contributions] == [
        "Competitor: rival.example (disqualified)"
    ]


@pytest.mark.parametrize("disqualify", [False, True])
def test_of_somebody_not_yet_known_no_rule_says_what_is_missing(disqualify):
    no_title = a_rule(
        "no title",
        when=ProfileIs((FactIs(("job_title",), "isnull", (True,)),)),
        disqualify=disqualify,
    )

    scored = compute_score(None, views(1), a_model(no_title, a_rule()), NOON)

    assert [part.rule for part in scored.contributions] == ["views"]


def test_a_disqualifier_with_a_window_ends_with_it():
    complaint = a_rule("spam", 0, disqualify=True, window_days=30)
    model = a_model(a_rule(), complaint)

    fresh, old = (compute_score(NOBODY, views(days), model, NOON) for days in (29, 30))

    assert (fresh.disqualified, fresh.moves) == (True, True)
    assert (old.disqualified, old.total) == (False, 10)


def test_only_the_most_recent_thousand_of_a_type_count():
    log = views(*(number / 100 for number in range(RECENT_PER_TYPE + 500)))

    part = compute_score(NOBODY, reversed(log), a_model(a_rule(points=1)), NOON).contributions[0]

    assert (part.count, part.points) == (RECENT_PER_TYPE, RECENT_PER_TYPE)


def test_the_bound_is_for_each_type_apart():
    replies = [replace(one, type="reply", source="mail") for one in views(*range(5))]
    log = [*views(*[0] * (RECENT_PER_TYPE + 1)), *replies]

    assert total(log, a_rule(points=1, when=ActivityIs(("reply",)))) == 5


def test_of_two_with_one_identity_the_earlier_counts():
    twice = [
        ActivityFact("page_view", NOON - timedelta(days=days), {}, "web", "1") for days in (1, 2)
    ]

    assert {total(log, a_rule(points=16, half_life_days=1)) for log in (twice, twice[::-1])} == {4}


def test_activities_without_an_id_are_one_only_when_all_is_equal():
    def view(url: str) -> ActivityFact:
        return ActivityFact("page_view", NOON, {"url": url})

    assert total([view("/a"), view("/a"), view("/b")], a_rule()) == 20


def test_a_rule_about_what_is_not_an_activity_sees_all_others():
    rule = a_rule(when=Not(ActivityIs(("page_view",))))
    log = [*views(1, 2), ActivityFact("unheard_of", NOON, {}, "web", "x")]

    assert a_model(rule).activity_types is None
    assert total(log, rule) == 10


def test_a_contribution_tells_all_in_json():
    scored = compute_score(NOBODY, views(1, 3), a_model(a_rule(points=2.5)), NOON)

    assert scored.contributions[0].as_dict() == {
        "rule": "views",
        "label": "Viewed",
        "group": "engagement",
        "points": 5.0,
        "count": 2,
        "last_at": "2026-05-19T12:00:00+00:00",
        "because": "Viewed 2 times, last on 19 May",
    }


@pytest.mark.parametrize(
    ("fit", "engagement", "grade"),
    [
        (40, 40, "A1"),
        (39.99, 39.99, "B2"),
        (25, 25, "B2"),
        (10, 10, "C3"),
        (9.99, 0, "D4"),
        (-5, 99, "D1"),
    ],
)
def test_grades_are_lower_bounds(fit, engagement, grade):
    assert Grades().grade(fit, engagement) == grade


@given(st.lists(st.floats(0, 60), max_size=30), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_the_order_of_their_terms(days_ago, random):
    rule = a_rule(points=7.77, half_life_days=3.3)
    log = views(*days_ago)
    expected = round(7.77 * fsum(0.5 ** ((NOON - one.at) / timedelta(days=3.3)) for one in log), 2)
    random.shuffle(log)

    assert total(log, rule) == pytest.approx(expected, abs=0.01)

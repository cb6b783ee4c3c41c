"""People, logs and models for the properties: few types and values, so that things meet."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from leadscoring.engine import ActivityFact, Caps, Grades, Profile, Rule, ScoringModel, Thresholds
from leadscoring.engine.rules import (
    ActivityIs,
    All,
    AnyOf,
    AtMost,
    Condition,
    FactIs,
    Not,
    ProfileIs,
)

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
TYPES = ("page_view", "email_open", "demo_request", "reply")
THRESHOLDS = Thresholds(mql=40, handoff=70, rearm_below=55, cooldown_days=30)

FACTS = st.sampled_from(
    (None, "", "VP Sales", "vp", "50", 50, 7.5, True, "true", ["VP", 3], {"a": "VP"})
)
PROPERTIES = st.dictionaries(st.sampled_from(("url", "form", "n")), FACTS, max_size=2)
profiles = st.builds(Profile, st.dictionaries(st.sampled_from(("job_title", "size", "n")), FACTS))

# Whole half days, so that ages fall exactly on the edges of windows.
AGES = st.integers(-4, 60).map(lambda halves: timedelta(hours=12 * halves))
activities = st.builds(
    ActivityFact,
    st.sampled_from((*TYPES, "unheard_of")),
    AGES.map(lambda age: NOON - age),
    PROPERTIES,
    st.sampled_from(("web", "crm")),
    st.uuids().map(str),
)
nameless = st.builds(
    ActivityFact, st.sampled_from(TYPES), AGES.map(lambda age: NOON - age), PROPERTIES
)
logs = st.lists(activities | nameless, max_size=25)

TESTS = st.one_of(
    st.builds(
        FactIs,
        st.sampled_from((("job_title",), ("url",), ("n",), ("n", "a"))),
        st.sampled_from(
            ("exact", "in", "icontains", "contains", "startswith", "endswith", "iexact")
        ),
        st.lists(st.sampled_from(("VP", "vp", "50", "e")), min_size=1, max_size=2).map(tuple),
    ),
    st.builds(
        FactIs,
        st.sampled_from((("size",), ("n",))),
        st.sampled_from(("exact", "gt", "gte", "lt", "lte")),
        st.lists(st.sampled_from((50, 3, 7.5)), min_size=1, max_size=2).map(tuple),
    ),
    st.builds(
        FactIs, st.just(("n",)), st.just("isnull"), st.booleans().map(lambda truth: (truth,))
    ),
)
SOME_TESTS = st.lists(TESTS, min_size=1, max_size=2, unique_by=lambda t: (t.path, t.lookup)).map(
    tuple
)
of_profile = st.builds(ProfileIs, SOME_TESTS)
of_activity = st.builds(
    ActivityIs,
    st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True).map(tuple),
    st.just(()) | SOME_TESTS,
)


def joined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.builds(All, parts) | st.builds(AnyOf, parts) | st.builds(Not, inner)


profile_conditions = st.recursive(of_profile, joined, max_leaves=3)
conditions = st.recursive(of_profile | of_activity, joined, max_leaves=4)
POINTS = st.integers(-4_000, 6_000).map(lambda hundredths: hundredths / 100)
AMOUNTS = st.none() | st.integers(0, 80).map(float)
DAYS = st.none() | st.sampled_from((0.5, 1.0, 7.0, 14.0))


@st.composite
def rules(draw: st.DrawFn, key: str = "rule") -> Rule:
    when = draw(conditions)
    group = draw(st.sampled_from(("fit", "engagement")))
    speaking = Rule(key, key.capitalize(), group, when).speaks_of_activities
    if draw(st.integers(0, 9)) == 0:
        window = draw(DAYS) if speaking else None
        return Rule(key, key.capitalize(), group, when, window_days=window, disqualify=True)
    at_most = st.none() | st.builds(AtMost, st.integers(1, 3), st.sampled_from((0.5, 1.0, 7.0)))
    times = (draw(DAYS), draw(DAYS), draw(at_most)) if speaking else (None, None, None)
    return Rule(key, key.capitalize(), group, when, draw(POINTS), *times, draw(AMOUNTS))


@st.composite
def models(draw: st.DrawFn) -> ScoringModel:
    count = draw(st.integers(1, 5))
    chosen = tuple(draw(rules(f"rule-{number}")) for number in range(count))
    caps = draw(st.builds(Caps, AMOUNTS, AMOUNTS, AMOUNTS))
    return ScoringModel("drawn", THRESHOLDS, caps, Grades(), chosen)

"""How fast scores are: python -m tests.bench.engine

20 rules, 20 activities a person; with and without the JSON of the contributions; against the
same model read plainly (tests/bench/plain.py), which must agree; and what more activities cost.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from time import process_time

from leadscoring.engine import ActivityFact, Profile, ScoringModel, compute_score, parse_model
from tests.bench.plain import plain_score

AT = datetime(2026, 5, 20, 12, tzinfo=UTC)
PEOPLE = 500
PAGES = ("/", "/pricing", "/docs/start", "/careers/sales", "/blog/crm", "/integrations")
TITLES = ("VP Marketing", "Head of Sales", "Student", "Engineer", "", "CEO", "Account Manager")
COUNTRIES = ("DE", "FR", "US", "SE", "NO", "IN")
MODEL = """
name: bench
thresholds: {mql: 40, handoff: 70, rearm_below: 55, cooldown_days: 30}
caps: {fit: 50, engagement: 50}
rules:
  - {key: senior, group: fit, points: 20, when: {profile: {job_title__icontains: [vp, head, chief, ceo]}}}
  - {key: junior, group: fit, points: -10, when: {profile: {job_title__icontains: [student, intern]}}}
  - {key: mid, group: fit, points: 15, when: {profile: {company_size__gte: 50, company_size__lt: 1000}}}
  - {key: large, group: fit, points: 10, when: {profile: {company_size__gte: 1000}}}
  - {key: market, group: fit, points: 5, when: {profile: {country__in: [DE, FR, SE]}}}
  - {key: no-phone, group: fit, points: -2, when: {profile: {phone__isnull: true}}}
  - {key: industry, group: fit, points: 8, when: {any: [{profile: {industry: saas}}, {profile: {company__iendswith: x}}]}}
  - {key: rival, disqualify: true, when: {profile: {email_domain__in: [rival.example]}}}
  - {key: pricing, group: engagement, points: 15, half_life_days: 14, window_days: 90, at_most: {count: 3, per_days: 7}, cap: 30, when: {activity: page_view, where: {url__contains: /pricing}}}
  - {key: docs, group: engagement, points: 4, half_life_days: 14, cap: 12, when: {activity: page_view, where: {url__contains: /docs}}}
  - {key: careers, group: engagement, points: -10, window_days: 60, cap: 20, when: {activity: page_view, where: {url__contains: /careers}}}
  - {key: pages, group: engagement, points: 1, half_life_days: 7, at_most: {count: 5, per_days: 1}, cap: 10, when: {activity: page_view}}
  - {key: demo, group: engagement, points: 40, half_life_days: 30, at_most: {count: 1, per_days: 30}, when: {activity: demo_request}}
  - {key: form, group: engagement, points: 10, half_life_days: 30, cap: 20, when: {activity: form_submit, where: {form__in: [contact, trial]}}}
  - {key: download, group: engagement, points: 6, half_life_days: 30, cap: 18, when: {activity: content_download}}
  - {key: webinar, group: engagement, points: 12, half_life_days: 30, cap: 24, when: {activity: webinar_attended}}
  - {key: open, group: engagement, points: 1, half_life_days: 7, at_most: {count: 1, per_days: 1}, cap: 5, when: {activity: email_open}}
  - {key: click, group: engagement, points: 4, half_life_days: 14, cap: 16, when: {activity: [email_click, reply]}}
  - {key: unsubscribe, group: engagement, points: -15, window_days: 365, cap: 15, when: {activity: email_unsubscribe}}
  - {key: senior-demo, group: engagement, points: 5, when: {all: [{activity: demo_request}, {profile: {job_title__icontains: [vp, chief]}}]}}
""".replace("company__iendswith: x", "company__endswith: Software")
KINDS = (
    *("page_view",) * 9,
    *("email_open",) * 5,
    *("email_click", "form_submit", "content_download", "webinar_attended"),
    *("demo_request", "email_unsubscribe", "email_sent"),
)


def person(random: Random, number: int, activities: int) -> tuple[Profile, list[ActivityFact]]:
    fields = {
        "email": f"p{number}@{random.choice(('one.example', 'two.example', 'three.example'))}",
        "job_title": random.choice(TITLES),
        "country": random.choice(COUNTRIES),
        "phone": random.choice(("", "+49 30 1234")),
        "company": random.choice(("Acme Software", "Globex")),
    }
    size = random.choice((10, 200, "750", 5_000))
    profile = Profile.of(
        fields, {"company_size": size, "industry": random.choice(("saas", "retail"))}
    )
    return profile, [activity(random, f"{number}-{index}") for index in range(activities)]


def activity(random: Random, event_id: str) -> ActivityFact:
    properties = {"url": f"https://us.example{random.choice(PAGES)}", "form": "contact"}
    at = AT - timedelta(seconds=random.randrange(90 * 86_400))
    return ActivityFact(random.choice(KINDS), at, properties, "web", event_id)


def people(count: int, activities: int) -> list[tuple[Profile, list[ActivityFact]]]:
    random = Random(4)
    return [person(random, number, activities) for number in range(count)]


def rate(run: Callable[[], object], scores: int, repeats: int = 5) -> float:
    """Scores a second: the best of some runs, since what disturbs a run only slows it."""
    return scores / min(timed(run) for _ in range(repeats))


def timed(run: Callable[[], object]) -> float:
    start = process_time()
    run()
    return process_time() - start


def check_agreement(crowd: list[tuple[Profile, list[ActivityFact]]], model: ScoringModel) -> None:
    for profile, log in crowd:
        scored = compute_score(profile, log, model, AT)
        shown = {part.rule: (part.points, part.count) for part in scored.contributions}
        figures = (scored.total, scored.fit, scored.engagement, shown, scored.disqualified)
        assert figures == plain_score(profile, log, model, AT)


def score_all(crowd: list[tuple[Profile, list[ActivityFact]]], model: ScoringModel) -> None:
    for profile, log in crowd:
        compute_score(profile, log, model, AT)


def figures() -> dict[str, float]:
    """Scores a second by what is measured."""
    model = parse_model(MODEL)
    crowd = people(PEOPLE, 20)
    check_agreement(crowd, model)
    scored = {
        "compiled, 20 rules, 20 activities": rate(
            lambda: [compute_score(who, log, model, AT) for who, log in crowd], PEOPLE
        ),
        "the same with as_dict()": rate(
            lambda: [
                [part.as_dict() for part in compute_score(who, log, model, AT).contributions]
                for who, log in crowd
            ],
            PEOPLE,
        ),
        "plain reading of the same rules": rate(
            lambda: [plain_score(who, log, model, AT) for who, log in crowd], PEOPLE, repeats=2
        ),
    }
    for activities in (200, 2_000, 20_000, 100_000):
        few = people(max(1, 2_000 // activities), activities)
        scored[f"compiled, {activities:,} activities"] = rate(
            partial(score_all, few, model),
            len(few),
            repeats=2,
        )
    return scored


if __name__ == "__main__":
    for what, speed in figures().items():
        sys.stdout.write(f"{what:<40} {speed:>12,.1f} scores/s {1e6 / speed:>12,.1f} µs each\n")

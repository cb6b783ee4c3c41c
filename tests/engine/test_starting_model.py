from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from leadscoring.engine import (
    ActivityFact,
    Profile,
    ScoreResult,
    ScoringModel,
    compute_score,
    dump_model,
    parse_model,
)
from tests.engine.strategies import NOON

STARTING: ScoringModel = parse_model(
    (Path(__file__).parents[2] / "leadscoring" / "starting_model.yaml").read_text()
)
TYPES = {
    "page_view",
    "form_submit",
    "demo_request",
    "content_download",
    "webinar_attended",
    "email_open",
    "email_click",
    "email_unsubscribe",
    "trial_started",
    "reply",
}
SENIOR = {"email": "ada@one.example", "job_title": "VP Marketing", "company": "One"}


def scored(
    fields: Mapping[str, object], *did: tuple[str, str], **properties: object
) -> ScoreResult:
    """The score of somebody who did these things, one a day until an hour ago."""
    log = [
        ActivityFact(type, NOON - timedelta(days=days, hours=1), {"url": url}, "web", f"{days}")
        for days, (type, url) in enumerate(did)
    ]
    return compute_score(Profile.of(fields, properties), log, STARTING, NOON)


def crosses(result: ScoreResult) -> bool:
    return result.total >= STARTING.thresholds.handoff and not result.disqualified


def test_it_survives_the_way_to_text_and_back():
    assert parse_model(dump_model(STARTING)) == STARTING


def test_it_looks_at_what_the_product_records():
    assert STARTING.activity_types == TYPES


def test_a_senior_person_who_asks_for_a_demo_goes_to_sales():
    assert crosses(scored(SENIOR, ("demo_request", "")))


def test_any_number_of_page_views_alone_goes_nowhere():
    views = [("page_view", "/pricing"), ("page_view", "/docs")] * 30

    assert not crosses(scored(SENIOR | {"phone": "1"}, *views, company_size=200))
    assert scored({}, *views).total < STARTING.thresholds.mql


def test_who_somebody_is_alone_goes_nowhere():
    assert not crosses(scored(SENIOR | {"phone": "1"}, company_size=200))


def test_a_student_with_a_private_address_and_a_competitor_are_out():
    student = {"email": "x@gmail.com", "job_title": "Student"}

    assert scored(student, ("demo_request", "")).disqualified
    assert scored({"email": "a@rival.example"}, ("demo_request", "")).disqualified
    assert not scored(student | {"email": "x@uni.example"}).disqualified


@pytest.mark.parametrize("did", [("page_view", "/careers/sales"), ("email_unsubscribe", "")])
def test_looking_for_a_job_and_unsubscribing_count_against(did):
    webinar = ("webinar_attended", "")

    assert scored(SENIOR, webinar, did).total < scored(SENIOR, webinar).total


def test_a_demo_request_fades():
    demo = [ActivityFact("demo_request", NOON - timedelta(days=60), {}, "web", "1")]

    assert compute_score(Profile.of(SENIOR, {}), demo, STARTING, NOON).engagement == 12.5


def test_international_is_no_intern():
    sales = {"email": "a@gmail.com", "job_title": "International Sales Director"}

    assert not scored(sales).disqualified

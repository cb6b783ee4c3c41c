from datetime import UTC, datetime

import pytest

from leadscoring.engine import ActivityFact, Profile

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


def test_known_fields_win_over_properties_of_the_same_name():
    profile = Profile.of({"country": "DE", "phone": ""}, {"country": "FR", "phone": "1", "size": 7})

    assert profile.values == {"country": "DE", "phone": "", "size": 7}


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ada@Example.COM", "example.com"),
        ('"a@b"@one.example', "one.example"),
        ("ada@one.example ", "one.example"),
        ("ada", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_the_domain_of_an_email_is_what_stands_behind_the_last_at(email, domain):
    assert Profile.of({"email": email}, {}).values.get("email_domain") == domain


@pytest.mark.parametrize("email", ["a@one.example", "", None])
def test_no_property_can_pose_as_a_known_field(email):
    posing = {"email_domain": "rival.example", "phone": "1"}

    values = Profile.of({"email": email}, posing).values

    assert "phone" not in values
    assert values.get("email_domain") != "rival.example"


def test_equal_activities_are_one_in_a_set():
    one, other = (ActivityFact("page_view", NOON, {"url": "/"}) for _ in range(2))

    assert len({one, other, ActivityFact("page_view", NOON, {"url": "/b"})}) == 2

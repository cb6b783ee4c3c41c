from datetime import UTC, datetime

import pytest

from leadscoring.engine import Activity, Profile

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


def test_no_property_can_pose_as_the_domain():
    profile = Profile.of({"email": "a@one.example"}, {"email_domain": "rival.example"})

    assert profile.values["email_domain"] == "one.example"


def test_equal_activities_are_one_in_a_set():
    one, other = (Activity("page_view", NOON, {"url": "/"}) for _ in range(2))

    assert len({one, other, Activity("page_view", NOON, {"url": "/b"})}) == 2

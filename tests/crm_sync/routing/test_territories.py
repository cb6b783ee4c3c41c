"""Which leads a territory is for."""

import pytest

from crm_sync.routing.territories import ModelFileError, territory_matcher


def test_a_territory_is_written_as_the_condition_of_a_scoring_rule():
    large = territory_matcher(
        "all:\n- profile: {country__in: [DE, AT]}\n- not: {profile: {employees__lt: 50}}"
    )

    assert large({"country": "DE", "employees": 200})
    assert not large({"country": "DE", "employees": "20"})
    assert not large({"country": "FR", "employees": 200})


def test_norway_is_a_country():
    assert territory_matcher("profile: {country: NO}")({"country": "NO"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("country: DE", "line 1: unknown key 'country' in the condition"),
        ("profile:\n  country__among: [DE]", "line 2: unknown look-up 'among' in country__among"),
        ("profile: {country__in: DE}", "line 1: country__in wants a list"),
        ("activity: page_view", "a territory asks who somebody is (profile)"),
        ("any:\n- profile: {country: DE}\n- not: {activity: demo}", "a territory asks who"),
        ("profile: &a {country: DE}", "line 1: anchors and aliases are not read"),
        ("profile: {country: [DE", "line 2: not YAML"),
    ],
)
def test_what_cannot_be_a_territory_is_refused_with_its_reason(text, reason):
    with pytest.raises(ModelFileError) as refused:
        territory_matcher(text)

    assert str(refused.value).startswith(reason)

"""One spelling of one event, in any script; how it was written first stays readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscoring.common.activity_type import spell_activity_type
from leadscoring.engine import parse_model
from leadscoring.engine.model_file import dump_model
from leadscoring.intake import take_activities
from leadscoring.models import Activity, ActivityType
from sequences.conditions import conditions_hold
from tests.admin_pages import as_, page
from tests.makers import NOON


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("demo_requested", "demo_requested"),
        ("Demo Requested", "demo_requested"),
        ("  Demo\u00a0 requested! ", "demo_requested"),
        ("Ｄｅｍｏ　Requested", "demo_requested"),
        ("De\u200bmo Requested", "demo_requested"),
        ("Order Completed (EU)", "order_completed_eu"),
        ("$pageview", "pageview"),
        ("app.v2:sign-up", "app.v2:sign-up"),
        ("Démo demandée", "démo_demandée"),
        ("デモ 依頼", "デモ_依頼"),
        ("डेमो का अनुरोध", "डेमो_का_अनुरोध"),
        ("Заявка на демо", "заявка_на_демо"),
        ("_._", ""),
        ("🎉", ""),
    ],
)
def test_a_type_has_one_spelling(written, spelled):
    assert spell_activity_type(written) == spelled


@given(st.text())
def test_the_spelling_of_a_spelling_is_itself(text):
    assert spell_activity_type(spell_activity_type(text)) == spell_activity_type(text)


@pytest.fixture
def did(db, django_capture_on_commit_callbacks):
    def take(*types):
        items = [{"email": "ada@example.com", "type": type_} for type_ in types]
        with django_capture_on_commit_callbacks(execute=True):
            return take_activities(items, "web", NOON)

    return take


def test_two_ways_of_writing_an_event_are_one_type_and_the_first_stays_readable(did):
    did("Demo Requested", "DEMO requested", "page_view")
    taken = did("demo requested!", "page_view")

    types = Activity.objects.values_list("type", flat=True).distinct()
    assert (taken.accepted, sorted(types)) == (2, ["demo_requested", "page_view"])
    assert dict(ActivityType.objects.values_list("name", "label")) == {
        "demo_requested": "Demo Requested",
        "page_view": "",
    }


def test_pages_show_the_readable_label(did):
    did("Demo Requested", "page_view")
    activity = Activity.objects.get(type="demo_requested")

    pages = [page("leadscoring.contact", activity.contact_id), page("leadscoring.activity")]
    marketer = as_("Marketing")
    shown = [marketer.get(path).content.decode() for path in pages]

    assert all("Demo Requested" in text and "page_view" in text for text in shown)


MODEL = """
name: default
thresholds: {mql: 40, handoff: 70, rearm_below: 55, cooldown_days: 30}
rules:
  - {key: demo, label: Demo, group: engagement, when: {activity: Demo Requested}, points: 5}
"""


def test_a_rule_means_the_event_however_it_is_written():
    model = parse_model(MODEL)

    assert model.activity_types == {"demo_requested"}
    assert parse_model(dump_model(model)) == model


def test_a_condition_of_a_sequence_means_the_event_however_it_is_written():
    assert conditions_hold({"activity": "Demo Requested"}, {}, {"demo_requested"})

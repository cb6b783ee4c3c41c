"""The page of activity types: what they are called, how many come, and what waits for them."""

import importlib
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from leadscoring.engine import add_rule, make_activity_rule, parse_model
from leadscoring.intake import activity_types, take_activities
from leadscoring.models import ActivityType, ModelVersion, TypeCount
from leadscoring.publishing import STARTING_MODEL
from leadscoring.tasks import settle_visitors
from sequences.models import Sequence
from tests.admin_pages import as_, as_one_who_may, as_superuser, page
from tests.leadscoring.test_segment import Sender
from tests.makers import an_activity

pytestmark = pytest.mark.django_db
TYPES, RULE = page("leadscoring.activitytype"), "/admin/leadscoring/modelversion/rule/"


@pytest.fixture(autouse=True)
def committed(django_capture_on_commit_callbacks):
    """Let what follows a commit follow each call, as it does outside of tests."""

    def did(*types, source="web", at=None, **fields):
        items = [{"email": "ada@example.com", "type": type_, **fields} for type_ in types]
        with django_capture_on_commit_callbacks(execute=True):
            return take_activities(items, source, at or now())

    return did


@pytest.fixture
def send(django_capture_on_commit_callbacks):
    sender = Sender()

    def sent(path, **event):
        with django_capture_on_commit_callbacks(execute=True):
            sender(path, **event)

    return sent


def counted():
    rows = TypeCount.objects.order_by("source", "type").values_list("source", "type", "times")
    return list(rows)


# --- counting -----------------------------------------------------------------------------------
def test_what_is_stored_is_counted_once_by_type_and_source(committed):
    committed("Demo Requested", "demo requested", "page_view", event_id=None)
    committed("page_view", source="shop", event_id="e1")
    committed("page_view", source="shop", event_id="e1")

    assert counted() == [("shop", "page_view", 1), ("web", "demo_requested", 2), ("web", "page_view", 1)]  # fmt: skip
    assert ActivityType.objects.get(name="demo_requested").label == "Demo Requested"


def test_what_a_visitor_did_is_counted_when_it_came_and_not_again_when_they_are_known(send):
    send("track", anonymousId="a1", event="Demo Requested", messageId="m1")
    send("track", anonymousId="a1", event="Demo Requested", messageId="m1")
    assert counted() == [("website", "demo_requested", 1)]

    send("identify", anonymousId="a1", traits={"email": "ada@example.com"})

    assert counted() == [("website", "demo_requested", 1)]
    assert str(ActivityType.objects.get(name="demo_requested")) == "Demo Requested"


def test_the_way_it_was_written_first_stays_and_so_does_what_a_marketer_calls_it(committed):
    committed("demo_requested")
    assert ActivityType.objects.get().label == ""

    committed("Demo Requested")
    committed("DEMO REQUESTED")
    assert ActivityType.objects.get().label == "Demo Requested"

    ActivityType.objects.update(label="Wants a demo")
    committed("Demo requested")
    assert ActivityType.objects.get().label == "Wants a demo"


def test_types_that_a_sender_makes_up_are_counted_so_far_and_no_further(committed, monkeypatch):
    monkeypatch.setattr(activity_types, "MOST_TYPES", 3)
    for n in range(6):
        committed(f"made_up_{n}", "page_view")

    assert len(counted()) <= 4
    assert ("web", "page_view", 6) in counted()


def test_counts_older_than_thirty_days_are_added_up(committed):
    committed("page_view", "page_view")
    TypeCount.objects.update(day=now() - timedelta(days=40), last_at=now() - timedelta(days=40))
    committed("page_view")
    settle_visitors()

    row = ActivityType.objects.get()
    assert (row.came_before, counted()) == (2, [("web", "page_view", 1)])
    assert "3" in as_("Marketing").get(TYPES).content.decode()


def test_an_upgrade_counts_what_is_there(committed):
    ActivityType.objects.create(name="demo", label="Demo!")
    for type_ in ("demo", "page_view", "page_view"):
        an_activity(type=type_)
    migration = importlib.import_module("leadscoring.migrations.0020_types_so_far")
    with connection.cursor() as cursor:
        cursor.execute(migration.COUNT)

    rows = ActivityType.objects.order_by("name").values_list("name", "label", "came_before")
    assert list(rows) == [("demo", "Demo!", 1), ("page_view", "", 2)]


# --- the page -----------------------------------------------------------------------------------
def test_the_page_says_what_waits_for_a_type_and_what_never_came(committed):
    committed("Trial Started", "demo_requests")
    Sequence.objects.create(name="Trial mails", enter_when={"activity": ["Trial Started", "never"]})
    told = as_("Marketing").get(TYPES).content.decode()

    assert "Trial Started" in told
    assert "Rule: Started a trial" in told
    assert "Sequence: Trial mails" in told
    assert "never" in told.split("but never came")[1]
    assert "demo_requests</bdi> meant" in told


def test_who_may_not_see_sequences_or_make_rules_is_shown_neither(committed):
    committed("trial_started", "webinar")
    Sequence.objects.create(name="Trial mails", enter_when={"activity": "trial_started"})
    client = as_one_who_may("leadscoring.view_activitytype", "leadscoring.view_contact")
    told = client.get(TYPES).content.decode()

    assert "trial_started" in told
    assert "Trial mails" not in told
    assert "Rule:" not in told
    assert "Make a rule" not in told
    assert client.get(RULE).status_code == 403


def test_a_marketer_gives_a_type_a_name(committed):
    committed("page_view")
    client = as_("Marketing")
    address = page("leadscoring.activitytype", "page_view")

    answer = client.post(address, {"label": "Looked at a page"})

    assert answer.status_code == 302
    assert "Looked at a page" in client.get(page("leadscoring.activity")).content.decode()
    assert "web" in client.get(address).content.decode()


def test_the_list_takes_as_many_queries_for_many_types_as_for_few(
    committed, django_assert_max_num_queries
):
    committed(*(f"type_{n}" for n in range(25)))
    client = as_superuser()
    client.get(TYPES)

    with django_assert_max_num_queries(17):
        client.get(TYPES)


# --- a rule of it -------------------------------------------------------------------------------
def test_a_rule_is_made_of_a_type_without_a_file(committed):
    committed("Webinar Watched")
    client = as_("Marketing")
    assert f"{RULE}?type=webinar_watched" in client.get(TYPES).content.decode()
    asked = client.get(RULE, {"type": "webinar_watched"}).content.decode()
    assert 'value="Webinar Watched"' in asked

    form = {"type": "Webinar Watched", "label": "Watched a webinar", "points": "12", "half_life_days": "30"}  # fmt: skip
    told = client.post(RULE, form, follow=True).content.decode()
    client.post(RULE, {**form, "points": "3", "half_life_days": ""})

    draft = ModelVersion.objects.get(published_at=None)
    first, second = draft.model.rules[-2:]
    assert "is in the draft default v2" in told
    assert (first.key, first.points, first.half_life_days) == ("webinar-watched", 12, 30)
    assert (second.key, second.points, second.half_life_days) == ("webinar-watched-2", 3, None)
    assert first.activity_types == {"webinar_watched"}
    assert "# Who they are" in draft.source


@pytest.mark.parametrize(
    "wrong",
    [{"points": "0"}, {"points": "nan"}, {"points": "20000"}, {"type": "!!!"}, {"type": ""}, {"label": ""}, {"label": "a\u202eb"},
     {"half_life_days": "0"}],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(wrong):
    form = {"type": "webinar", "label": "Webinar", "points": "5", "half_life_days": "30"}

    answer = as_("Marketing").post(RULE, {**form, **wrong})

    assert answer.status_code == 200
    assert "ls-error" in answer.content.decode()
    assert not ModelVersion.objects.filter(published_at=None).exists()


FLOW = "name: x\nrules: [{key: a, group: fit, when: {profile: {country: US}}, points: 1}]\n"
LAST = "thresholds: {mql: 1, handoff: 2}\n"


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        (STARTING_MODEL.read_text(), True),
        (LAST + FLOW, False),
        ("name: x\nrules:\n- {key: a, group: fit, when: {profile: {country: US}}, points: 1}\n" + LAST, False),
        ("name: x\n" + LAST + "rules:\n- {key: a, group: fit, when: {profile: {country: US}}, points: 1}", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("label", ["Демо: “yes” #1", "- x: y, {z", "null"])
def test_a_rule_is_added_to_a_file_however_it_is_written(source, kept, label):
    before = parse_model(source)
    rule = make_activity_rule("демо", label, 5, None, {rule.key for rule in before.rules})

    after = add_rule(source, rule)

    assert parse_model(after).rules == (*before.rules, rule)
    assert after.startswith(source.rstrip()) == kept

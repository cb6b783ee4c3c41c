"""First and last touch: where somebody came from, as properties, in whatever order the views come in."""

from datetime import timedelta
from itertools import count, permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leadscoring.intake.activities import take_activities
from leadscoring.intake.contacts import take_contacts
from leadscoring.merging import merge_contacts
from leadscoring.models import Contact, ProfileChange
from tests.admin_pages import as_superuser, page
from tests.leadscoring.test_segment import Sender
from tests.makers import NOON, a_contact

pytestmark = pytest.mark.django_db
numbers = count(1)
SHOP = "https://www.shop.example"


def view(minutes, path="/", email="ada@example.com", event_id="", **properties):
    """A page view so many minutes after noon."""
    return {
        "email": email,
        "type": "page_view",
        "event_id": event_id or f"view {next(numbers)}",
        "occurred_at": (NOON + timedelta(minutes=minutes)).isoformat(),
        "properties": {"url": f"{SHOP}{path}", **properties},
    }


def take(*views, at=NOON + timedelta(days=30)):
    taken = take_activities(views, "website", at)
    assert not taken.rejected


def touch(which, email="ada@example.com"):
    """What is known of a touch, without its prefix; its time in minutes after noon."""
    told = Contact.objects.get(email=email).properties
    found = {
        name.partition("_")[2]: value
        for name, value in told.items()
        if name.startswith(f"{which}_")
    }
    if "touch_at" in found:
        assert found["touch_at"].startswith("2026-06-01T")
        del found["touch_at"]
    return found


def test_the_first_touch_is_the_first_view_and_the_last_the_latest_that_came_from_somewhere():
    take(
        view(0, "/blog?utm_source=ads", utm_source="ads", utm_medium="cpc", utm_campaign="spring"),
        view(1, "/pricing", referrer=f"{SHOP}/blog"),
        view(100, "/news", referrer="https://search.example/?q=ada@example.com"),
        view(200, "/pricing"),
    )

    assert touch("first") == {
        "utm_source": "ads",
        "utm_medium": "cpc",
        "utm_campaign": "spring",
        "landing_page": "https://www.shop.example/blog",
    }
    assert touch("last") == {
        "referrer": "https://search.example/",
        "landing_page": "https://www.shop.example/news",
    }


def test_whatever_the_order_in_which_views_come_in_the_touches_are_the_same():
    views = [
        view(0, "/a", referrer="https://one.example/"),
        view(60, "/b", utm_source="two"),
        view(120, "/c", referrer="https://three.example/"),
        view(240, "/d"),
    ]
    for number, order in enumerate(permutations(views)):
        email = f"person{number}@example.com"
        for one in order:
            take({**one, "email": email, "event_id": f"{email} {one['event_id']}"})

        assert touch("first", email)["landing_page"].endswith("/a"), order
        assert touch("last", email)["landing_page"].endswith("/c"), order


def test_a_referrer_that_is_repeated_on_each_page_of_a_visit_is_one_touch():
    search = "https://search.example/"
    take(view(0, "/a", referrer=search), view(10, "/b", referrer=search))
    take(view(30, "/c", referrer=search))

    assert touch("last")["landing_page"].endswith("/a")
    take(view(61, "/d", referrer=search))
    assert touch("last")["landing_page"].endswith("/d")


@pytest.mark.parametrize(
    ("referrer", "told"),
    [
        ("https://shop.example/x", None),
        ("https://help.shop.example/x", None),
        ("$direct", None),
        ("", None),
        ("http://[", None),
        (7, None),
        ({"a": 1}, None),
        ("https://user:secret@other.example/a?token=1#b", "https://other.example/a"),
        ("https://notshop.example/", "https://notshop.example/"),
        ("android-app://com.example/", "android-app://com.example/"),
        ("https://other.example/" + "x" * 900, "https://other.example/" + "x" * 478),
    ],
)
def test_another_site_is_told_without_what_may_name_a_person(referrer, told):
    take(view(0, referrer=referrer))

    assert touch("first").get("referrer") == told


def test_values_that_are_no_text_are_no_campaign():
    take(view(0, utm_source=["a"], utm_medium=7, utm_term="x" * 300))

    assert touch("first") == {"utm_term": "x" * 200, "landing_page": f"{SHOP}/"}


def test_what_a_visitor_did_before_they_were_known_is_the_first_touch():
    send = Sender()
    send(
        "page",
        anonymousId="browser",
        timestamp="2026-05-01T10:00:00Z",
        context={"page": {"url": f"{SHOP}/ad"}, "campaign": {"source": "ads", "name": "spring"}},
    )
    send("page", anonymousId="browser", context={"page": {"url": f"{SHOP}/form"}})
    send("identify", anonymousId="browser", traits={"email": "ada@example.com"})
    send("page", anonymousId="browser", context={"page": {"url": f"{SHOP}/thanks"}})

    told = Contact.objects.get().properties
    assert told["first_utm_source"] == told["last_utm_source"] == "ads"
    assert told["first_utm_campaign"] == "spring"
    assert told["first_landing_page"] == f"{SHOP}/ad"


def test_a_rule_can_use_them_and_the_history_knows_since_when():
    contact = a_contact(email="ada@example.com", properties={"plan": "pro"})
    take(view(0, utm_source="ads"))

    last = ProfileChange.objects.filter(contact=contact).latest("at")
    assert last.properties["first_utm_source"] == "ads"
    assert last.properties["plan"] == "pro"
    take(view(1))
    assert ProfileChange.objects.filter(contact=contact).latest("at") == last


@pytest.mark.parametrize("junk", ["yesterday", 7, None, {"a": 1}, "2999-01-01T00:00:00Z"])
def test_a_time_that_a_sender_made_up_keeps_no_touch_out(junk):
    a_contact(email="ada@example.com", properties={"first_touch_at": junk, "last_touch_at": junk})
    take(view(0, utm_source="ads"))

    assert (touch("first")["utm_source"], touch("last")["utm_source"]) == ("ads", "ads")


def test_who_has_many_properties_can_still_be_changed():
    many = {f"p{number}": "x" for number in range(100)}
    take_contacts([{"email": "ada@example.com", "properties": many}], NOON)
    take(view(0, utm_source="ads"))

    changed = take_contacts([{"email": "ada@example.com", "properties": {"p1": "y"}}], NOON)

    assert (changed.updated, changed.rejected) == (1, [])
    assert touch("first")["utm_source"] == "ads"


def test_of_two_people_who_are_one_the_earlier_first_and_the_later_last_touch_stay():
    take(view(50, "/b", utm_source="two"), view(60, "/c", utm_source="three"))
    take(
        view(0, "/a", "bob@example.com", utm_term="one"),
        view(90, "/d", "bob@example.com", referrer="https://four.example/"),
    )
    ada, bob = Contact.objects.get(email="ada@example.com"), Contact.objects.get(email="bob@example.com")  # fmt: skip

    merge_contacts(ada.pk, bob.pk, NOON + timedelta(days=31))

    assert touch("first") == {"utm_term": "one", "landing_page": f"{SHOP}/a"}
    assert touch("last") == {"referrer": "https://four.example/", "landing_page": f"{SHOP}/d"}


def test_many_people_cost_no_more_queries():
    def queries(people):
        views = [view(0, "/", f"p{n}@example.com", utm_source="ads") for n in range(people)]
        with CaptureQueriesContext(connection) as captured:
            take(*views)
        return len(captured)

    take(view(0))  # whatever is read once

    assert queries(3) == queries(30)


def test_the_persons_page_says_where_they_came_from():
    take(view(0, "/ad", utm_source="ads", utm_campaign="spring <b>", referrer="https://o.example/"))

    shown = as_superuser().get(page("leadscoring.contact", Contact.objects.get().pk))

    text = shown.content.decode()
    assert "Where they came from" in text
    assert "spring &lt;b&gt;" in text
    assert "https://www.shop.example/ad" in text

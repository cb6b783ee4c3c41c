"""Times on the admin's pages are in the reader's time zone, and nowhere else."""

from datetime import UTC, datetime

import pytest
from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from leadscoring.common.format import format_moment
from leadscoring.intake import take_activities, take_contacts
from leadscoring.models import Activity, Contact, ReaderTimeZone
from leadscoring.reader_time import in_readers_time
from tests.admin_pages import as_, as_superuser, page

pytestmark = pytest.mark.django_db
# The clocks of Berlin go forward in the night between them, those of New York three weeks before.
BEFORE, AFTER = (datetime(2026, 3, day, 23, 30, tzinfo=UTC) for day in (28, 29))
CHOICE = "/admin/time-zone/"


@pytest.fixture
def activities() -> list[Activity]:
    """A visit before and one after the clocks are changed, of one person."""
    take_contacts([{"email": "ada@example.com", "job_title": "VP Marketing"}], BEFORE)
    take_activities([
        {"email": "ada@example.com", "type": "visit", "occurred_at": at.isoformat()} for at in (BEFORE, AFTER)
    ], "web", AFTER)  # fmt: skip
    return list(Activity.objects.order_by("occurred_at"))


def who_reads_in(zone: str, name: str) -> Client:
    client = as_(name) if name == "Marketing" else as_superuser()
    client.post(CHOICE, {"zone": zone})
    return client


def test_two_readers_see_one_moment_each_in_their_own_time(activities: list[Activity]) -> None:
    berlin, new_york = (
        who_reads_in("Europe/Berlin", "Marketing"),
        who_reads_in("America/New_York", ""),
    )

    shown = [
        client.get(page("leadscoring.activity")).content.decode() for client in (berlin, new_york)
    ]

    assert 'title="29 March 2026, 00:30:00 CET"' in shown[0]
    assert 'title="30 March 2026, 01:30:00 CEST"' in shown[0]
    assert 'title="28 March 2026, 19:30:00 EDT"' in shown[1]
    assert 'title="29 March 2026, 19:30:00 EDT"' in shown[1]
    assert " UTC" not in shown[0] + shown[1]


def test_days_on_a_contacts_page_are_those_of_its_reader(activities: list[Activity]) -> None:
    take_activities([
        {"email": "ada@example.com", "type": "demo_request", "occurred_at": AFTER.isoformat()}
    ], "web", AFTER)  # fmt: skip
    contact = Contact.objects.get()
    written = next(one for one in contact.score.contributions if one["last_at"])

    tokyo = (
        who_reads_in("Asia/Tokyo", "").get(page("leadscoring.contact", contact.pk)).content.decode()
    )

    assert written["because"].endswith("on 29 March")
    assert f"{written['label']} on 30 March" in tokyo
    assert "Ready for sales since 30 March" in tokyo
    assert f"{written['label']} on 29 March" not in tokyo


def test_the_browsers_zone_counts_until_another_is_chosen(activities: list[Activity]) -> None:
    client = as_superuser()
    client.cookies["time_zone"] = "Asia/Kolkata"

    told = client.get(page("leadscoring.activity")).content.decode()
    offered = client.get(CHOICE).content.decode()
    client.post(CHOICE, {"zone": "Europe/Berlin"})
    chosen = client.get(page("leadscoring.activity")).content.decode()
    client.post(CHOICE, {"zone": ""})
    again = client.get(page("leadscoring.activity")).content.decode()

    assert "29 March 2026, 05:00:00 IST" in told
    assert "That of this browser: Asia/Kolkata" in offered
    assert "29 March 2026, 00:30:00 CET" in chosen
    assert "29 March 2026, 05:00:00 IST" in again


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mars/Olympus",
        "../../../etc/passwd",
        "/etc/localtime",
        "Europe",
        "<script>",
        "\xe9\x00",
        "x" * 5000,
    ],
)
def test_a_zone_that_is_none_counts_as_utc(zone: str, activities: list[Activity]) -> None:
    client = as_superuser()
    client.cookies["time_zone"] = zone

    answer = client.get(page("leadscoring.activity"))

    assert "28 March 2026, 23:30:00 UTC" in answer.content.decode()


def test_a_chosen_zone_that_is_gone_by_now_gives_way_to_the_browsers(
    activities: list[Activity],
) -> None:
    client = as_superuser()
    ReaderTimeZone.objects.create(user=User.objects.get(), zone="Europe/Atlantis")
    client.cookies["time_zone"] = "Europe/Berlin"

    assert "00:30:00 CET" in client.get(page("leadscoring.activity")).content.decode()


def test_an_invalid_choice_is_not_stored() -> None:
    answer = as_superuser().post(CHOICE, {"zone": "Mars/Olympus"})

    assert "Choose a time zone from the list." in answer.content.decode()
    assert not ReaderTimeZone.objects.exists()


def test_everybody_who_may_sign_in_chooses_their_own_and_nobody_else(client: Client) -> None:
    mine = as_("")

    mine.post(CHOICE, {"zone": "Europe/Berlin"})

    assert f'href="{CHOICE}"' in mine.get("/admin/").content.decode()
    assert str(ReaderTimeZone.objects.get(user__username="nobody")) == "Europe/Berlin"
    assert client.post(CHOICE, {"zone": "Europe/Berlin"}).status_code == 302
    assert ReaderTimeZone.objects.count() == 1


class WhenForm(forms.Form):
    when = forms.DateTimeField()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("2026-03-28 09:00", datetime(2026, 3, 28, 8, tzinfo=UTC)),
        ("2026-03-29 09:00", datetime(2026, 3, 29, 7, tzinfo=UTC)),
    ],
)
def test_a_time_that_is_typed_is_one_of_the_readers_zone(typed: str, stored: datetime) -> None:
    request = RequestFactory().post("/admin/x/", {"when": typed})
    request.COOKIES["time_zone"] = "Europe/Berlin"
    request.user = User()
    forms_seen: list[WhenForm] = []

    def view(request: HttpRequest) -> HttpResponse:
        forms_seen.append(WhenForm(request.POST))
        return HttpResponse(str(forms_seen[0].is_valid()))

    in_readers_time(view)(request)

    assert forms_seen[0].cleaned_data["when"] == stored


def test_only_the_admin_is_in_the_readers_time() -> None:
    request = RequestFactory().get("/api/v1/contacts")
    request.COOKIES["time_zone"] = "Europe/Berlin"
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(format_moment(BEFORE))
        return HttpResponse()

    in_readers_time(view)(request)

    assert seen == ["28 March 2026, 23:30:00 UTC"]


def test_the_zone_of_one_request_is_not_that_of_the_next(activities: list[Activity]) -> None:
    who_reads_in("Europe/Berlin", "").get("/admin/")

    assert timezone.get_current_timezone_name() == "UTC"

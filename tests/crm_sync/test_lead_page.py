"""The page that the link in a task opens for its rep."""

import re
from datetime import timedelta

import pytest
from django.core.signing import Signer
from django.test import Client
from django.utils.timezone import now

from crm_sync import lead_page
from crm_sync.mapping import lead_link
from crm_sync.mapping.lead_link import lead_url
from crm_sync.models import Handoff
from leadscoring.erasing import erase_contact
from leadscoring.merging import merge_contacts
from leadscoring.models import AccessEntry, Activity
from tests.admin_pages import HOSTILE
from tests.crm_sync.makers import MONDAY, PRICING, TITLE, a_contact, a_handoff, a_score, numbers

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def an_activity(contact, at, type_="page_view", **properties):
    Activity.objects.create(
        contact=contact,
        source="test",
        event_id=str(next(numbers)),
        type=type_,
        occurred_at=at,
        properties=properties,
    )


@pytest.fixture
def row():
    """Ada's handoff of two days ago."""
    ada = a_contact(
        "ada@engines.example",
        "Engines",
        first_name="Ada",
        last_name="Byron",
        phone="+49 30 1234567",
    )
    return a_handoff(ada, crossed_at=now() - 2 * DAY)


def opened(address, client=None, method="get"):
    path = address.removeprefix("http://testserver")
    return getattr(client or Client(), method)(path)


def words(response):
    return " ".join(
        re.sub(r"<[^>]*>", " ", response.content.decode().partition("<main>")[2]).split()
    )


def test_a_rep_reads_then_and_now_without_a_log_in(row):
    an_activity(row.contact, row.crossed_at - DAY, url="https://x.example/pricing?token=secret")
    an_activity(row.contact, row.crossed_at + DAY, "demo_request")
    a_score(row.contact, total=97.0, grade="A1", contributions=[{**PRICING, "points": 45.0}])

    response = opened(lead_url(row, now()))

    told = words(response)
    assert response.status_code == 200
    assert told.startswith(
        "Ada Byron Engines Call +49 30 1234567 Write to ada@engines.example When handed over on"
    )
    assert (
        ": score 82, A1 Visited pricing 3 times, last on 3 May (+30) Senior job title: VP Engineering (+20)"
        in told
    )
    assert "Now: score 97, A1 Visited pricing 3 times, last on 3 May (+45)" in told
    assert re.search(
        r"since then \d+ \w+( \d+)?: demo request What they did before \d+ \w+( \d+)?: page view /pricing",
        told,
    )
    assert "secret" not in told
    assert 'href="tel:+49301234567"' in response.content.decode()


def test_nobody_keeps_it_and_nothing_comes_from_elsewhere(row):
    response = opened(lead_url(row, now()))

    assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Content-Security-Policy"].startswith("default-src 'none'; style-src")
    assert not response.cookies
    assert re.findall(r'(?:src|href)="(?!tel:|mailto:)', response.content.decode()) == []


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_for_reading_alone(row, method):
    assert opened(lead_url(row, now()), Client(), method).status_code == 405


def test_it_tells_no_mails_no_other_people_and_none_of_our_ids(row):
    row.contact.properties = {"internal": "do not tell"}
    row.contact.save()
    row.reason, row.owner_reason, row.record_id = "held back", "Kim is away", "t-77"
    row.save()

    html = opened(lead_url(row, now())).content.decode()

    assert not [
        word for word in ("do not tell", "held back", "Kim", "t-77", "/admin/") if word in html
    ]


def test_what_people_typed_is_no_mark_up():
    ada = a_contact(
        HOSTILE.lower() + "@x.example", first_name=HOSTILE, job_title=HOSTILE, phone=HOSTILE
    )
    row = a_handoff(ada, crossed_at=now(), reasons=[{**PRICING, "because": HOSTILE}])
    an_activity(ada, now(), HOSTILE)

    html = opened(lead_url(row, now())).content.decode()

    assert "<script" not in html.lower()
    assert "{{ 7|add:7 }}" in html


def test_somebody_who_is_no_lead_any_more_is_told_as_that(row):
    rival = {**TITLE, "because": "Competitor: rival.example (disqualified)", "points": 0.0}
    a_score(row.contact, total=0.0, disqualified=True, grade="D4", contributions=[rival])

    told = words(opened(lead_url(row, now())))

    assert "Now: no longer a lead for sales Competitor: rival.example (disqualified)" in told


# --- what opens it, and what does not


def test_a_link_opens_for_thirty_days(row):
    still = lead_url(row, now() - 30 * DAY + timedelta(minutes=1))
    over = lead_url(row, now() - 30 * DAY)

    assert opened(still).status_code == 200
    response = opened(over)
    assert response.status_code == 410
    assert "This link has ended" in words(response)
    assert f"Ask marketing@northwind.example and name the reference {row.reference}" in words(
        response
    )
    assert "Ada" not in words(response)
    assert response["X-Robots-Tag"] == "noindex, nofollow"


def parts(row):
    head, contact_id, token = lead_url(row, now()).rstrip("/").rsplit("/", 2)
    return head, contact_id, *token.split(".")


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_an_altered_link_opens_nothing(row, place):
    other = a_handoff()
    altered, theirs = list(parts(row)), list(parts(other))
    theirs[3] = str(int(theirs[3]) + 9)
    altered[place] = theirs[place]
    head, contact_id, *token = altered

    response = opened(f"{head}/{contact_id}/{'.'.join(token)}/")

    assert response.status_code == 404
    assert "This link is not valid" in words(response)


@pytest.mark.parametrize("salt", ["sequences.unsubscribe", "sequences.link", "crm_sync.Lead"])
def test_what_was_signed_for_something_else_opens_nothing(row, salt):
    _, contact_id, reference, ends, _ = parts(row)
    signed = Signer(sep=".", salt=salt).sign(f"{contact_id}.{reference}.{ends}")

    assert lead_link.read_lead_link(row.contact_id, signed.partition(".")[2]) is None


@pytest.mark.parametrize("token", ["x", "a.b.c", "." * 50, "é.1.x", "LS-1.1." + "x" * 500])
def test_nonsense_opens_nothing(row, token):
    assert opened(f"/lead/{row.contact_id}/{token}/").status_code == 404


def test_of_an_erased_person_nothing_is_left(row):
    address = lead_url(row, now())
    erase_contact(row.contact_id, now())

    response = opened(address)

    assert response.status_code == 410
    assert "Nothing is kept of this person any more" in words(response)


def test_of_two_who_are_one_the_link_shows_who_stayed(row):
    address, kept = lead_url(row, now()), a_contact("grace@hopper.example", first_name="Grace")
    for person in (kept, row.contact):
        a_score(person)
    merge_contacts(kept.pk, row.contact_id, now())

    response = opened(address)

    assert Handoff.objects.get().contact_id == kept.pk
    assert words(response).startswith("Grace")
    assert "grace@hopper.example" in words(response)


def test_the_link_says_to_the_second_when_it_ends(row):
    *_, ends, _ = parts(row)
    link = lead_link.read_lead_link(
        row.contact_id, lead_url(row, MONDAY).rstrip("/").rpartition("/")[2]
    )

    assert link == lead_link.LeadLink(row.pk, MONDAY + 30 * DAY)
    assert ends.isdigit()


@pytest.mark.parametrize(
    ("phone", "link"),
    [
        ("+49 (0)30 / 123-45.67", "tel:+49301234567"),
        ("(030) 1234567", "tel:0301234567"),
        ("+1 415 555 0100 ext. 12", "tel:+14155550100"),
        ("ask for Ada", ""),
        ("12", ""),
        ("1234567890123456", ""),
        ("٠٣٠١٢٣٤٥٦٧", ""),
        ("+", ""),
    ],
)
def test_what_can_be_dialled_is_a_link(phone, link):
    assert lead_page.phone_link(phone) == link


def test_who_has_the_link_is_noted_as_a_reader(row):
    opened(lead_url(row, now()))

    assert list(AccessEntry.objects.values_list("by", "user", "people")) == [
        ("whoever has the link", None, [row.contact_id])
    ]

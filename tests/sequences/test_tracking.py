"""What people do with a mail comes back as what they did: once, signed, and with nothing of theirs in it."""

import json
import re
from typing import Any

import pytest
from django.core.signing import Signer
from django.db import OperationalError
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from leadscoring.api_keys import create_key
from leadscoring.models import Activity, Score, Website
from sequences.models import Delivery
from sequences.sending.claim import MailClaim, claim_next
from sequences.tracking import links
from tests.sequences.makers import NOON, NOW, a_mailable_contact, a_sequence, an_enrollment

pytestmark = pytest.mark.django_db

GUIDE = "https://www.northwind.example/guide?from=mail&x=1"


def a_claim(
    body: str = f"Read [our guide]({GUIDE}).", *, tracks: bool = True, **person: str
) -> MailClaim:
    sequence = a_sequence(NOW, tracks=tracks)
    sequence.steps.update(body=body)
    an_enrollment(a_mailable_contact(**person), sequence)
    claim = claim_next(NOON)
    assert isinstance(claim, MailClaim)
    return claim


@pytest.fixture
def claim() -> MailClaim:
    return a_claim()


def html_of(claim: MailClaim) -> str:
    message: Any = claim.message  # Django types the plain kind, without alternatives
    return str(message.alternatives[0][0])


def links_of(claim: MailClaim) -> list[str]:
    found = re.findall(r'<a href="([^"]+)"', html_of(claim))
    return [link.removeprefix("http://testserver") for link in found]


def picture(claim: MailClaim) -> str:
    (found,) = re.findall(r'<img src="http://testserver([^"]+)"', html_of(claim))
    return str(found)


def done(claim: MailClaim) -> list[tuple[str, object]]:
    """What the person did, and the address where they did it."""
    rows = Activity.objects.filter(contact=claim.delivery.enrollment.contact).order_by("pk")
    return [(row.type, row.properties.get("url")) for row in rows]


def stored(claim: MailClaim) -> Delivery:
    return Delivery.objects.get(pk=claim.delivery.pk)


# --- clicks


def test_a_link_leads_through_here_to_where_it_led(client: Client, claim: MailClaim) -> None:
    link, unsubscribe = links_of(claim)

    answer = client.get(link)

    assert link.startswith("/c/")
    assert unsubscribe.startswith("/u/")
    assert (answer.status_code, answer.headers["Location"]) == (302, GUIDE)
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.fixture
def write_key() -> str:
    """The key of the website that the guide is on."""
    key, text = create_key("website", write_only=True)
    Website.objects.create(api_key=key, write_key=text, domains=["northwind.example"])
    return text


def test_who_comes_to_a_website_of_ours_by_a_mail_is_its_reader(
    client: Client, claim: MailClaim, write_key: str
) -> None:
    led = client.get(links_of(claim)[0]).headers["Location"]
    address, _, said = led.partition("&leads_link=")
    view = {"type": "page", "anonymousId": "browser", "messageId": "1"}

    for path, more in (
        ("batch", {"batch": [view]}),
        ("join", {"anonymousId": "browser", "link": said}),
    ):
        body = {"writeKey": write_key, **more}
        client.post(f"/v1/{path}", json.dumps(body), content_type="text/plain")

    assert address == GUIDE
    assert [type_ for type_, _ in done(claim)] == ["email_click", "page_view"]


@pytest.mark.parametrize("more", [{"method": "head"}, {"HTTP_SEC_PURPOSE": "prefetch;prerender"}])
def test_a_program_that_checks_links_is_not_told_whose_mail_it_is(
    client: Client, claim: MailClaim, write_key: str, more: dict[str, str]
) -> None:
    ask = getattr(client, more.get("method", "get"))
    headers = {name: value for name, value in more.items() if name != "method"}

    assert ask(links_of(claim)[0], **headers).headers["Location"] == GUIDE


def test_other_sites_are_not_told_whose_mail_led_to_them(client: Client, write_key: str) -> None:
    claim = a_claim("[One](https://other.example/a)")

    assert client.get(links_of(claim)[0]).headers["Location"] == "https://other.example/a"


def test_a_click_is_what_the_person_did_and_counts_in_their_score(
    client: Client, claim: MailClaim
) -> None:
    client.get(links_of(claim)[0])

    assert done(claim) == [("email_click", GUIDE)]
    activity = Activity.objects.get(type="email_click")
    mail = stored(claim)
    assert activity.properties["sequence"] == mail.enrollment.sequence.name
    assert (activity.properties["step"], activity.properties["subject"]) == (1, mail.subject)
    assert mail.clicked_at == activity.occurred_at
    assert Score.objects.get(contact=mail.enrollment.contact).total > 0


def test_each_link_of_a_mail_counts_once_and_the_first_time_stays(client: Client) -> None:
    claim = a_claim("[One](https://a.example) and [two](https://b.example)")
    one, two, _ = links_of(claim)

    client.get(one)
    first = stored(claim).clicked_at
    client.get(one)
    client.get(two)

    assert done(claim) == [
        ("email_click", "https://a.example"),
        ("email_click", "https://b.example"),
    ]
    assert stored(claim).clicked_at == first


@pytest.mark.parametrize("more", [{"method": "head"}, {"HTTP_SEC_PURPOSE": "prefetch;prerender"}])
def test_programs_that_check_links_are_nobody(
    client: Client, claim: MailClaim, more: dict[str, str]
) -> None:
    ask = getattr(client, more.pop("method", "get"))

    answer = ask(links_of(claim)[0], **more)

    assert answer.headers["Location"] == GUIDE
    assert done(claim) == []


def test_a_link_is_signed_so_nobody_is_sent_elsewhere(client: Client, claim: MailClaim) -> None:
    link = links_of(claim)[0]
    other = Signer(sep=".", salt="another").sign_object([1, "https://evil.example"])

    for altered in (
        link[:-1] + "_",
        link.replace("/c/", "/c/x"),
        f"/c/{other}",
        "/c/.",
        f"/c/{'x' * 5_000}",
    ):
        assert client.get(altered).status_code == 404
    assert client.get(picture(claim).replace("/o/", "/c/").removesuffix(".gif")).status_code == 404
    assert done(claim) == []


def test_who_follows_a_link_gets_there_while_nothing_can_be_noted(
    client: Client,
    claim: MailClaim,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def gone(*args: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(links, "tracked_delivery", gone)

    answer = client.get(links_of(claim)[0])

    assert answer.headers["Location"] == GUIDE
    assert "could not be noted" in caplog.text


def test_a_link_in_a_mail_to_somebody_who_was_deleted_still_leads_there(
    client: Client, claim: MailClaim
) -> None:
    claim.delivery.enrollment.contact.delete()

    assert client.get(links_of(claim)[0]).headers["Location"] == GUIDE
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    "link",
    [
        "mailto:ada@engines.example",
        "#top",
        "/relative",
        "https://",
        "https://x.example/" + "y" * 2_000,
    ],
)
def test_what_cannot_be_led_through_here_stays_as_it_is(link: str) -> None:
    claim = a_claim(f"[There]({link})")

    assert not [each for each in links_of(claim) if each.startswith("/c/")]


def test_an_address_with_something_of_the_person_in_it_is_not_led_through_here() -> None:
    """Our address would carry it into the logs of every server on the way."""
    claim = a_claim(
        "[Book](https://book.example/?who={{ email }}) [Read](https://read.example)",
        email="ada@engines.example",
    )

    book, read, _ = links_of(claim)

    assert book == "https://book.example/?who=ada%40engines.example"
    assert read.startswith("/c/")


@given(st.text(), st.integers(1, 2**63))
def test_what_a_link_carries_comes_back(link: str, number: int) -> None:
    token = links.LINKS.sign_object([number, link], compress=True)

    if len(token) <= links.LONGEST_TOKEN:
        assert links.read_link_token(token) == (number, link)


# --- opens


def test_the_picture_says_once_that_the_mail_was_opened(client: Client, claim: MailClaim) -> None:
    first = client.get(picture(claim))
    opened_at = stored(claim).opened_at
    client.get(picture(claim))

    assert (first.status_code, first.headers["Content-Type"]) == (200, "image/gif")
    assert first.content.startswith(b"GIF89a")
    assert done(claim) == [("email_open", None)]
    assert stored(claim).opened_at == opened_at
    assert opened_at is not None


def test_an_altered_picture_is_nobodys(client: Client, claim: MailClaim) -> None:
    assert client.get("/o/1.x.gif").status_code == 404
    assert client.get(f"/o/{'1' * 5_000}.gif").status_code == 404
    assert done(claim) == []


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_nobody_posts_to_a_mails_addresses(client: Client, claim: MailClaim, method: str) -> None:
    for address in (links_of(claim)[0], picture(claim)):
        assert getattr(client, method)(address).status_code == 405


# --- neither


def test_a_sequence_may_do_without() -> None:
    claim = a_claim(tracks=False)

    assert links_of(claim)[0] == GUIDE.replace("&", "&amp;")
    assert "<img" not in html_of(claim)


def test_the_text_part_shows_where_links_lead(claim: MailClaim) -> None:
    assert GUIDE in str(claim.message.body)


def test_no_address_in_a_mail_says_who_got_it() -> None:
    claim = a_claim(email="ada.lovelace@engines.example", first_name="Ada")
    tokens = [address.rpartition("/")[2] for address in [*links_of(claim), picture(claim)]]

    contents = [str(links.read_link_token(tokens[0])), *tokens]

    assert not [each for each in contents if "ada" in each.lower() or "engines" in each.lower()]

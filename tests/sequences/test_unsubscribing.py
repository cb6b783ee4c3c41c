import pytest
from django.test import Client

from leadscoring.models import Activity
from sequences.models import BY_THEMSELVES, Delivery, Enrollment, Suppression
from sequences.sending.claim import MailClaim, claim_next
from sequences.unsubscribe import delivery_of_token, unsubscribe_delivery, unsubscribe_url
from tests.sequences.makers import MINUTE, NOON, NOW, a_sequence, again, an_enrollment

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery() -> Delivery:
    an_enrollment()
    claim = claim_next(NOON)
    assert isinstance(claim, MailClaim)
    return claim.delivery


@pytest.fixture
def address(delivery: Delivery) -> str:
    return unsubscribe_url(delivery).removeprefix("http://testserver")


def suppressed() -> list[str]:
    return list(Suppression.objects.values_list("email", flat=True))


def test_looking_at_the_page_changes_nothing(
    client: Client, address: str, delivery: Delivery
) -> None:
    for look in (client.get, client.head):
        answer = look(address)

        assert answer.status_code == 200
    assert suppressed() == []
    assert again(delivery.enrollment).is_open


def test_the_page_asks_and_says_whom_it_is_about(
    client: Client, address: str, delivery: Delivery
) -> None:
    page = client.get(address)

    assert b'<form method="post">' in page.content
    assert delivery.email.encode() in page.content
    assert page.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "One-Click"}])
def test_a_post_suppresses_and_stops_without_a_log_in_or_a_cookie(
    address: str, delivery: Delivery, body: dict[str, str]
) -> None:
    client = Client(enforce_csrf_checks=True)
    other = an_enrollment(delivery.enrollment.contact, a_sequence(NOW))

    answer = client.post(address, body)

    assert (answer.status_code, answer.cookies) == (200, {})
    assert suppressed() == [delivery.email]
    for enrollment in (delivery.enrollment, other):
        row = again(enrollment)
        assert (row.state, row.reason, row.by) == (
            Enrollment.State.STOPPED, "Unsubscribed", BY_THEMSELVES,
        )  # fmt: skip


def test_unsubscribing_is_an_activity_once(
    client: Client, address: str, delivery: Delivery
) -> None:
    for _ in range(3):
        assert client.post(address).status_code == 200

    activity = Activity.objects.get(type="email_unsubscribe")
    assert (activity.source, activity.contact) == ("sequences", delivery.enrollment.contact)
    assert suppressed() == [delivery.email]


def test_an_address_that_was_changed_since_is_suppressed_too(delivery: Delivery) -> None:
    contact = delivery.enrollment.contact
    contact.email = "new@example.com"
    contact.save()

    unsubscribe_delivery(delivery, NOON + MINUTE)

    assert sorted(suppressed()) == sorted([delivery.email, "new@example.com"])


@pytest.mark.parametrize(
    "alter",
    [
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: "9" + token,
        lambda token: token.partition(".")[0],
        lambda token: token.replace(".", ":"),
        lambda token: "x" * 5_000,
        lambda token: "%00",
        lambda token: "%F0%9F%98%80.é",
        lambda token: "1.2.3",
    ],
)
def test_an_altered_link_is_a_plain_404_that_changes_nothing(
    client: Client, address: str, alter
) -> None:
    token = alter(address.removeprefix("/u/"))

    answers = [client.get(f"/u/{token}"), client.post(f"/u/{token}")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert all(b"This link is not valid" in answer.content for answer in answers)
    assert suppressed() == []


def test_the_link_of_somebody_who_was_deleted_is_not_valid(delivery: Delivery) -> None:
    token = unsubscribe_url(delivery).rpartition("/")[2]
    delivery.enrollment.contact.delete()

    assert delivery_of_token(token) is None


def test_a_link_has_no_address_in_it(delivery: Delivery, address: str) -> None:
    assert "@" not in address
    assert "example" not in address
    assert len(address) < 60


def test_who_comes_back_is_told_that_it_is_done(client: Client, address: str) -> None:
    asked = client.get(address).content
    client.post(address)

    told = client.get(address).content

    assert b"Stop these e-mails?" in asked
    assert b"You are unsubscribed" in told


def test_other_methods_are_refused(client: Client, address: str) -> None:
    assert client.delete(address).status_code == 405

"""A mail provider's webhooks, posted as Postmark posts them (its bounce and spam complaint webhooks)."""

import base64
import importlib
from typing import Any

import pytest
from django.test import Client

from sequences import urls
from sequences.models import Suppression
from tests.sequences.makers import a_mailable_contact, again, an_enrollment

pytestmark = pytest.mark.django_db

ADDRESS = "/webhooks/mail/postmark/tracking/"
BOUNCE = {
    "RecordType": "Bounce",
    "ID": 4_323_372_036_854_775_807,
    "Type": "HardBounce",
    "TypeCode": 1,
    "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
    "Description": "The server was unable to deliver your message",
    "Details": "smtp;550 5.1.1 The email account does not exist",
    "BouncedAt": "2026-05-04T12:00:00Z",
}
COMPLAINT = BOUNCE | {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "TypeCode": 512}


def post(news: dict[str, Any], email: str, secret: str = "provider:made-up") -> int:
    signed = base64.b64encode(secret.encode()).decode()
    return (
        Client()
        .post(
            ADDRESS,
            news | {"Email": email},
            "application/json",
            HTTP_AUTHORIZATION=f"Basic {signed}",
        )
        .status_code
    )


@pytest.mark.parametrize(
    ("news", "reason", "detail"),
    [
        (BOUNCE, "bounced", "It came back, says the mail provider"),
        (COMPLAINT, "unsubscribed", "They marked a mail as spam, says the mail provider"),
    ],
)
def test_an_address_that_bounces_or_complains_is_never_written_to_again(
    news: dict[str, Any], reason: str, detail: str
) -> None:
    row = an_enrollment(a_mailable_contact(email="ada@engines.example"))

    assert post(news, "Ada@Engines.example") == 200

    held = Suppression.objects.get(email="ada@engines.example")
    assert (held.reason, held.detail) == (reason, detail)
    assert again(row).state == "stopped"


def test_telling_it_twice_changes_nothing_more() -> None:
    for news in (COMPLAINT, COMPLAINT, BOUNCE):
        assert post(news, "ada@engines.example") == 200

    assert Suppression.objects.get().reason == "unsubscribed"


@pytest.mark.parametrize(
    "news",
    [
        BOUNCE | {"Type": "Transient", "TypeCode": 2},
        BOUNCE | {"Type": "Blocked", "TypeCode": 100006},
        BOUNCE | {"RecordType": "Delivery"},
        BOUNCE | {"RecordType": "Open"},
    ],
)
def test_what_is_not_the_addresss_fault_keeps_nobody_from_being_written_to(
    news: dict[str, Any],
) -> None:
    assert post(news, "ada@engines.example") == 200
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("secret", ["provider:guessed", ":", ""])
def test_nobody_else_can_pose_as_the_provider(secret: str) -> None:
    assert post(BOUNCE, "ada@engines.example", secret) == 400
    assert not Suppression.objects.exists()


def test_without_a_secret_there_is_no_such_address(settings: Any) -> None:
    with_secret = len(urls.urlpatterns)
    try:
        settings.ANYMAIL = {}
        assert len(importlib.reload(urls).urlpatterns) == with_secret - 1
    finally:
        settings.ANYMAIL = {"WEBHOOK_SECRET": "provider:made-up"}
        importlib.reload(urls)

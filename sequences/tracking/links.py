"""Opens and clicks of our mails: an invisible picture, and links that lead through here.

An address in a mail carries a signed number, and a link also its target, so this site cannot be
used to redirect elsewhere. No address carries what is known of a contact: servers log addresses.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.urls import reverse

from leadscoring.intake.visitor_links import PARAMETER, sign_contact
from leadscoring.websites import is_own_address
from sequences import mail_activities
from sequences.models import Delivery

PICTURES = Signer(sep=".", salt="sequences.picture")
LINKS = Signer(sep=".", salt="sequences.link")
LONGEST_LINK = 2_000
LONGEST_TOKEN = 3_000


def open_pixel_url(delivery: Delivery) -> str:
    """Return the address of the picture of one mail."""
    return settings.BASE_URL + reverse("opened", args=[PICTURES.sign(str(delivery.pk))])


def tracked_link(delivery: Delivery) -> Callable[[str], str]:
    """Return a function that makes a link lead through here; what is no web address stays."""

    def turned(link: str) -> str:
        if len(link) > LONGEST_LINK or not _is_web_url(link):
            return link
        token = LINKS.sign_object([delivery.pk, link], compress=True)
        return settings.BASE_URL + reverse("clicked", args=[token])

    return turned


def _is_web_url(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:  # such as an unclosed bracket of an IPv6 address
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def read_pixel_token(token: str) -> int:
    """Return the number of the mail. Raise BadSignature."""
    return int(PICTURES.unsign(_bounded_token(token)))


def read_link_token(token: str) -> tuple[int, str]:
    """Return the number of the mail, and where the link leads. Raise BadSignature."""
    number, link = LINKS.unsign_object(_bounded_token(token))
    return int(number), str(link)


def _bounded_token(token: str) -> str:
    if len(token) > LONGEST_TOKEN:
        raise BadSignature("too long to be ours")
    return token


def tracked_delivery(number: int) -> Delivery | None:
    """Return the mail; None when the contact was deleted meanwhile."""
    mails = Delivery.objects.select_related("enrollment__sequence")
    return mails.filter(pk=number).first()


def record_open(delivery: Delivery, at: datetime) -> None:
    """Record that the picture was asked for. Mail programs do so repeatedly: the first time counts."""
    if delivery.opened_at is None:
        _record_reaction(delivery, "opened_at", at)


def record_click(delivery: Delivery, link: str, at: datetime) -> None:
    """Record that a link was followed. Each link of a mail counts once."""
    which = hashlib.sha256(link.encode()).hexdigest()[:16]
    _record_reaction(delivery, "clicked_at", at, which, url=link)


def with_reader(number: int, link: str, at: datetime) -> str:
    """Return a link to a website of ours with what says, for minutes, whose mail it stood in; others as they are."""
    delivery = tracked_delivery(number) if is_own_address(link) else None
    if delivery is None:
        return link
    parts = urlsplit(link)
    said = f"{PARAMETER}={sign_contact(delivery.enrollment.contact_id, at)}"
    return parts._replace(query=f"{parts.query}&{said}" if parts.query else said).geturl()


TYPE_OF = {"opened_at": "email_open", "clicked_at": "email_click"}


def _record_reaction(
    delivery: Delivery, when: str, at: datetime, which: str = "", **more: str
) -> None:
    """Store the contact's activity, which locks the contact, and only then the mail's first time."""
    with transaction.atomic():
        mail_activities.store_mail_activities(TYPE_OF[when], [(delivery, at)], at, which, **more)
        Delivery.objects.filter(pk=delivery.pk, **{when: None}).update(**{when: at})

"""The link in every mail that ends all of them: its address, and what following it does."""

from datetime import datetime

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from leadscoring.common.email_address import fold_email
from sequences import mail_activities
from sequences.models import BY_THEMSELVES, Delivery, Suppression
from sequences.suppression import suppress_addresses

# Signs the number of a delivery: short, and no address in any server's log. Links never expire.
SIGNER = Signer(sep=".", salt="sequences.unsubscribe")
LONGEST_TOKEN = 80


def unsubscribe_url(delivery: Delivery) -> str:
    """Return the link of one mail, at the public address."""
    return settings.BASE_URL + reverse("unsubscribe", args=[SIGNER.sign(str(delivery.pk))])


def delivery_of_token(token: str) -> Delivery | None:
    """Return the mail of a link; None when the token was altered or the contact was deleted."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        number = SIGNER.unsign(token)
    except BadSignature:
        return None
    mails = Delivery.objects.select_related("enrollment__contact", "enrollment__sequence")
    return mails.filter(pk=int(number)).first()


def is_unsubscribed(delivery: Delivery) -> bool:
    return Suppression.objects.wishes().filter(email=fold_email(delivery.email)).exists()


def unsubscribe_delivery(delivery: Delivery, at: datetime) -> None:
    """Suppress that address. Following the link again changes nothing.

    The address comes first and is committed alone: no failure of the scores may keep it on the list.
    """
    suppress_addresses(
        {delivery.email, delivery.enrollment.contact.email or delivery.email},
        Suppression.Reason.UNSUBSCRIBED,
        at,
        by=BY_THEMSELVES,
        detail=f"By the link in {delivery.subject!r}",
    )
    mail_activities.store_mail_activities("email_unsubscribe", [(delivery, at)], at)

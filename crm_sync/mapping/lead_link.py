"""The link in a task: to one lead's page here, which a rep reads without a log-in until it ends.

The signature is over the contact's id, the handoff's id and the end, and opens nothing else. No address
carries what is known of a contact, since servers log addresses, nor the reference, which stands in a
task's text once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from crm_sync.models import Handoff

OPENS_FOR = timedelta(days=30)
SIGNER = Signer(sep=".", salt="crm_sync.lead")
LONGEST_TOKEN = 120


@dataclass(frozen=True, slots=True)
class LeadLink:
    handoff_id: int
    ends_at: datetime


def link_ends_at(at: datetime) -> datetime:
    """Return until when a link that is made at an instant opens the page, to the second."""
    return (at + OPENS_FOR).replace(microsecond=0)


def lead_url(row: Handoff, at: datetime) -> str:
    """Return the address of the lead's page, at the public address."""
    ends = int(link_ends_at(at).timestamp())
    _, _, token = SIGNER.sign(f"{row.contact_id}.{row.pk}.{ends}").partition(".")
    return settings.BASE_URL + reverse("lead", args=[row.contact_id, token])


def read_lead_link(contact_id: int, token: str) -> LeadLink | None:
    """Return what a link is for, even when it has ended; None when we did not make it so."""
    if len(token) > LONGEST_TOKEN:
        return None
    try:
        _, handoff_id, ends = SIGNER.unsign(f"{contact_id}.{token}").split(".")
    except BadSignature:
        return None
    return LeadLink(int(handoff_id), datetime.fromtimestamp(int(ends), UTC))


def contact_pages(contact_id: int | None = None) -> tuple[str, str]:
    """Return how the addresses of a contact's pages here begin; of all contacts' when none is named.

    Tasks of the releases before there was a lead's page link to the admin.
    """
    one = "" if contact_id is None else f"{contact_id}/"
    return (
        f"{settings.BASE_URL}/lead/{one}",
        f"{settings.BASE_URL}/admin/leadscoring/contact/{one}",
    )

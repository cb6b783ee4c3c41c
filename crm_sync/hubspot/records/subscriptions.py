"""Unsubscribe addresses in HubSpot's communication preferences, one request for each.

The batch of these calls needs Marketing Hub Enterprise.
docs/hubspot-facts.md#opt-out
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crm_sync.hubspot.records.batches import list_field
from crm_sync.hubspot.transport.calls import UNSUBSCRIBE
from crm_sync.hubspot.transport.client import HubSpotClient
from crm_sync.hubspot.transport.errors import error_from_item
from crm_sync.port import CrmError
from crm_sync.transport.batches import Outcome, write_all

CHANNEL = [("channel", "EMAIL")]  # the only one that HubSpot has


@dataclass(frozen=True, slots=True)
class SubscriptionChoice:
    trace: str  # the address


def unsubscribe_emails(client: HubSpotClient, emails: Sequence[str]) -> Outcome[None]:
    """Return by address None when it is unsubscribed from everything, else the error."""
    wishes = [[SubscriptionChoice(email)] for email in dict.fromkeys(emails)]
    return write_all(wishes, lambda batch: {batch[0].trace: _told(client, batch[0].trace)})


def _told(client: HubSpotClient, email: str) -> CrmError | None:
    answer = client.ask(UNSUBSCRIBE, path={"address": email}, query=CHANNEL)
    errors = list_field(answer, "errors")
    return error_from_item(UNSUBSCRIBE, errors[0]) if errors else None

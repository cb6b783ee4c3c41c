"""Who wants no mail, written to HubSpot's own subscriptions: one request for each address.

The batch of these calls is for the largest accounts alone (Marketing Hub Enterprise). Source: the
published description of communication preferences, version 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crm_sync.hubspot.records.batches import Outcome, list_field, write_all
from crm_sync.hubspot.transport.calls import UNSUBSCRIBE
from crm_sync.hubspot.transport.client import HubSpotClient
from crm_sync.hubspot.transport.errors import error_from_item
from crm_sync.port import CrmError

CHANNEL = [("channel", "EMAIL")]  # the only one that there is


@dataclass(frozen=True, slots=True)
class SubscriptionChoice:
    trace: str  # the address


def unsubscribe_emails(client: HubSpotClient, emails: Sequence[str]) -> Outcome[None]:
    """By address: None when it is unsubscribed from everything, else why it is not."""
    wishes = [[SubscriptionChoice(email)] for email in dict.fromkeys(emails)]
    return write_all(wishes, lambda batch: {batch[0].trace: _told(client, batch[0].trace)})


def _told(client: HubSpotClient, email: str) -> CrmError | None:
    answer = client.ask(UNSUBSCRIBE, path={"address": email}, query=CHANNEL)
    errors = list_field(answer, "errors")
    return error_from_item(UNSUBSCRIBE, errors[0]) if errors else None

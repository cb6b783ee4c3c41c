"""Who wants no mail, written to HubSpot's own subscriptions: one request for each address.

The batch of these calls is for the largest accounts alone (Marketing Hub Enterprise). Source: the
published description of communication preferences, version 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crm_sync.hubspot.batches import Outcome, listed, write_all
from crm_sync.hubspot.calls import UNSUBSCRIBE
from crm_sync.hubspot.client import Client
from crm_sync.hubspot.errors import error_of_item
from crm_sync.port import CrmError

CHANNEL = [("channel", "EMAIL")]  # the only one that there is


@dataclass(frozen=True, slots=True)
class Wish:
    trace: str  # the address


def unsubscribe(client: Client, emails: Sequence[str]) -> Outcome[None]:
    """By address: None when it is unsubscribed from everything, else why it is not."""
    wishes = [[Wish(email)] for email in dict.fromkeys(emails)]
    return write_all(wishes, lambda batch: {batch[0].trace: _told(client, batch[0].trace)})


def _told(client: Client, email: str) -> CrmError | None:
    answer = client.ask(UNSUBSCRIBE, path={"address": email}, query=CHANNEL)
    errors = listed(answer, "errors")
    return error_of_item(UNSUBSCRIBE, errors[0]) if errors else None

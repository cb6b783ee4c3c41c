"""Salesforce sends no webhooks: changes come with the poll. docs/salesforce-facts.md#no-webhooks"""

from collections.abc import Sequence
from datetime import datetime

from crm_sync.port import CrmForged, CrmHint, Posted


class NoWebhooks:
    enabled = False

    def hints(self, posted: Posted, at: datetime) -> Sequence[CrmHint]:
        raise CrmForged("This CRM sends no webhooks.", signed=False)

"""What a CRM sends by itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from crm_sync.port.records import CrmHint, Posted


class CrmWebhooks(Protocol):
    """What the CRM sends by itself, if it does: `enabled`."""

    enabled: bool

    def hints(self, posted: Posted, at: datetime) -> Sequence[CrmHint]:
        """What a request of the CRM's speaks of; nothing when it cannot be read. Raises CrmForged."""

"""The requests that a CRM sends to us."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from crm_sync.port.records import CrmHint, Posted


class CrmWebhooks(Protocol):
    """The requests that the CRM sends to us. `enabled`: whether it sends any."""

    enabled: bool

    def hints(self, posted: Posted, at: datetime) -> Sequence[CrmHint]:
        """Return the hints in a request of the CRM; none when it cannot be parsed. Raise CrmForged."""

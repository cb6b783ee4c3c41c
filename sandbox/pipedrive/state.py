"""The state of Pipedrive's stand-in."""

from collections.abc import Mapping
from typing import Any

from ..server.state import State
from .outbox import PipedriveOutbox, event
from .pace import Pace
from .settings import Settings
from .showing import whole
from .store import Item, Record, Store
from .webhooks import is_wanted


class PipedriveState(State[Settings, Store]):
    pace: Pace
    webhooks: PipedriveOutbox

    @property
    def account_name(self) -> str:
        return f"{self.store.domain} ({self.store.company_id})"

    def new_outbox(self) -> PipedriveOutbox:
        return PipedriveOutbox(self)

    def connect(self) -> None:
        self.store.tell = self._tell

    def _tell(self, action: str, record: Record, previous: Item | None, more: Item) -> None:
        """Each webhook that wants to hear of it is told by itself."""
        for webhook in self.store.webhooks.values():
            if is_wanted(webhook, action, record.kind) and not self.webhooks.is_banned(
                webhook["id"]
            ):
                shown = None if action == "delete" else whole(self.store, self.settings, record)
                told = event(
                    self, webhook, action, record, {"data": shown, "previous": previous}, more
                )
                self.webhooks.put(lambda number, told=told: told)  # type: ignore[misc]

    def reset(self) -> None:
        with self.lock:
            super().reset()
            self.pace = Pace()

    def set(self, wanted: Mapping[str, Any]) -> None:
        dials = {**wanted}
        company_id = dials.pop("company_id", self.store.company_id)
        super().set(dials)
        self.store.company_id = int(company_id)

    def settings_shown(self) -> dict[str, Any]:
        return super().settings_shown() | {"company_id": self.store.company_id}

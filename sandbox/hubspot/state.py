"""The state of HubSpot's stand-in."""

from collections.abc import Mapping
from typing import Any

from ..server.outbox import Outbox
from ..server.state import State
from . import webhooks
from .pace import Pace
from .settings import Settings
from .store import Store


class HubSpotState(State[Settings, Store]):
    pace: Pace

    @property
    def account_name(self) -> str:
        return str(self.store.portal_id)

    def new_outbox(self) -> Outbox:
        return Outbox(self.settings, lambda *request: webhooks.pack(self.settings, *request))

    def connect(self) -> None:
        self.store.tell = self._tell

    def reset(self) -> None:
        with self.lock:
            super().reset()
            self.pace = Pace()

    def _tell(self, verb: str, kind: str, id_: str, facts: dict[str, Any]) -> None:
        if not self.settings.webhook_url or not webhooks.is_subscribed(verb, kind, facts):
            return
        self.webhooks.put(
            lambda number: webhooks.event(
                verb, kind, id_, facts,
                number=number, portal_id=self.store.portal_id, generic=self.settings.webhook_generic,
            )
        )  # fmt: skip

    def set(self, wanted: Mapping[str, Any]) -> None:
        dials = {**wanted}
        portal_id = dials.pop("portal_id", self.store.portal_id)
        super().set(dials)
        self.store.portal_id = int(portal_id)

    def settings_shown(self) -> dict[str, Any]:
        return super().settings_shown() | {"portal_id": self.store.portal_id}

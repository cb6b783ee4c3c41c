"""The state of Pipedrive's stand-in."""

from collections.abc import Mapping
from typing import Any

from ..server.outbox import Outbox
from ..server.state import State
from .pace import Pace
from .settings import Settings
from .store import Store


class PipedriveState(State[Settings, Store]):
    pace: Pace

    @property
    def account_name(self) -> str:
        return f"{self.store.domain} ({self.store.company_id})"

    def new_outbox(self) -> Outbox:
        return Outbox(self.settings, lambda *request: (b"", {}))

    def connect(self) -> None:
        pass

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

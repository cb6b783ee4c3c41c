"""The state of Salesforce's stand-in."""

from datetime import datetime, timedelta

from ..server.outbox import Outbox
from ..server.state import State
from .login import Sessions
from .org.first import People
from .org.store import Store
from .pace import Pace
from .settings import Settings
from .soql.pages import Cursors


class SalesforceState(State[Settings, Store]):
    """`people`: ids of those who are there from the first day."""

    pace: Pace
    sessions: Sessions
    cursors: Cursors

    def __init__(self, settings: Settings, store: Store, people: People) -> None:
        self.people = people
        super().__init__(settings, store)

    @property
    def account_name(self) -> str:
        return str(self.store.organization.get("Name"))

    def new_outbox(self) -> Outbox:
        """Salesforce tells nobody of anything by itself."""
        return Outbox(self.settings, lambda url, events, attempt: (b"", {}))

    def connect(self) -> None:
        """Nobody listens."""

    def clock(self, at: datetime) -> datetime:
        """The org's own: whole seconds."""
        return (at + timedelta(seconds=self.settings.clock_ahead)).replace(microsecond=0)

    def reset(self) -> None:
        with self.lock:
            super().reset()
            self.pace, self.sessions, self.cursors = Pace(), Sessions(), Cursors()

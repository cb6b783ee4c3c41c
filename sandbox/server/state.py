"""Everything one stand-in has: its account, its dials, its made-up trouble, and what it was asked."""

import pickle
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from threading import Event, RLock
from typing import Any, Generic, Protocol, TypeVar

from .faults import Faults
from .journal import Journal
from .outbox import Outbox
from .settings import WebhookSettings

LOG_KEPT = 10_000


class Account(Protocol):
    """The data of one account. It must be picklable, which makes a reset cheap."""

    def dump(self) -> dict[str, Any]:
        """The whole account as JSON."""


Settings_ = TypeVar("Settings_", bound=WebhookSettings)
Account_ = TypeVar("Account_", bound=Account)


class State(ABC, Generic[Settings_, Account_]):
    """`lock` is held by whatever reads or changes the account."""

    webhooks: Outbox

    def __init__(self, settings: Settings_, account: Account_, url: str = "") -> None:
        self.url = url
        self.lock = RLock()
        self.settings = settings
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_KEPT)
        self.over = Event()  # set when what is under way belongs to a state that is gone
        self._first = settings.shown(), pickle.dumps(account)
        self.webhooks = self.new_outbox()
        self.reset()

    @property
    def store(self) -> Account_:
        return self._store

    @store.setter
    def store(self, account: Account_) -> None:
        self._store = account
        self.connect()

    @property
    @abstractmethod
    def account_name(self) -> str:
        """The CRM's name or number for the account."""

    @abstractmethod
    def new_outbox(self) -> Outbox: ...

    @abstractmethod
    def connect(self) -> None:
        """Let a new account tell the outbox what happens to it."""

    def set(self, wanted: Mapping[str, Any]) -> None:
        """Turn dials, as HTTP does."""
        self.settings.change({**wanted})

    def settings_shown(self) -> dict[str, Any]:
        return self.settings.shown()

    def snapshot(self) -> bytes:
        """The account as it is now."""
        with self.lock:
            return pickle.dumps(self.store)

    def restore(self, snapshot: bytes) -> None:
        """Have that account again; dials, trouble and journal stay as they are."""
        with self.lock:
            self.store = pickle.loads(snapshot)  # noqa: S301 - our own, out of memory

    def reset(self) -> None:
        """Be as at the start, within a millisecond.

        Requests that wait in a fault are cut, and webhooks under way are not sent again.
        """
        dials, first = self._first
        with self.lock:
            self.over.set()
            self.over = Event()
            self.webhooks.stop()
            self.webhooks = self.new_outbox()
            self.settings.change(dials)
            self.restore(first)
            self.faults = Faults()
            # Which switches were turned on, for what; see trouble.py.
            self.switched: set[tuple[str, str]] = set()
            self.journal = Journal()
            self.log.clear()

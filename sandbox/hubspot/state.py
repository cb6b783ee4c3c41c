"""Everything one stand-in has: its CRM, its dials, its made-up trouble, and what it was asked."""

import json
import pickle
from collections import deque
from datetime import datetime
from pathlib import Path
from threading import Event, RLock
from typing import Any

from .faults import Faults
from .journal import Journal
from .moments import instant, iso
from .pace import Pace
from .settings import Settings
from .store import TYPE_IDS, Record, Store
from .webhooks import Sender

LOG_KEPT = 10_000


class State:
    def __init__(self, settings: Settings, portal_id: int, url: str = "") -> None:
        self.url = url
        self.lock = RLock()  # around whatever reads or changes the store
        self._started_with = settings.shown(), pickle.dumps(Store(portal_id))
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_KEPT)
        self.settings = settings
        self.over = Event()  # set when what is under way belongs to a state that is gone
        self.webhooks = Sender(settings, lambda: self.store.portal_id)
        self.reset()

    @property
    def store(self) -> Store:
        return self._store

    @store.setter
    def store(self, store: Store) -> None:
        store.tell = self.webhooks.tell
        self._store = store

    def snapshot(self) -> bytes:
        with self.lock:
            return pickle.dumps(self.store)

    def restore(self, snapshot: bytes) -> None:
        with self.lock:
            self.store = pickle.loads(snapshot)  # noqa: S301 - our own, out of memory

    def reset(self) -> None:
        """As it was at the start, without a record.

        Requests that wait in a fault are cut, and webhooks under way are not sent again.
        """
        dials, first = self._started_with
        with self.lock:
            self.over.set()
            self.over = Event()
            self.webhooks.stop()
            self.webhooks = Sender(self.settings, lambda: self.store.portal_id)
            self.settings.change(dials)
            self.restore(first)
            self.faults = Faults()
            # Which of switches.py were turned on, for what.
            self.switched: set[tuple[str, str]] = set()
            self.journal = Journal()
            self.pace = Pace()
            self.log.clear()


def dump(store: Store) -> dict[str, Any]:
    """The whole CRM as JSON."""
    return {
        "portal_id": store.portal_id,
        "owners": store.owners,
        "pipelines": store.pipelines,
        "groups": store.groups,
        "definitions": store.definitions,
        "blocklist": sorted(store.blocklist),
        "next_id": store.next_id,
        "merged": store.merged,
        "records": {
            kind: [_dumped(each) for each in records.values()]
            for kind, records in store.records.items()
        },
        "links": store.links.saved(),
    }


def load(saved: dict[str, Any]) -> Store:
    store = Store(saved["portal_id"])
    for name in ("owners", "pipelines", "groups", "next_id", "merged"):
        setattr(store, name, saved[name])
    for kind, known in saved["definitions"].items():
        store.definitions[kind] |= known  # a file from before may lack some of HubSpot's own
    store.blocklist = set(saved["blocklist"])
    for kind in TYPE_IDS:
        for row in saved["records"][kind]:
            record = _loaded(kind, row)
            store.put(record)
            store.index(record)
    store.links.load(saved["links"])
    return store


def _dumped(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "created_at": iso(record.created_at),
        "updated_at": iso(record.updated_at),
        "archived_at": iso(record.archived_at) if record.archived_at else None,
        "properties": record.properties,
        "history": {
            name: [[iso(at), value] for at, value in versions]
            for name, versions in record.history.items()
        },
    }


def _loaded(kind: str, row: dict[str, Any]) -> Record:
    def when(name: str) -> datetime:
        return instant(row[name])

    history = {
        name: [(instant(at), value) for at, value in versions]
        for name, versions in row["history"].items()
    }
    archived_at = when("archived_at") if row["archived_at"] else None
    stamps = when("created_at"), when("updated_at")
    return Record(kind, row["id"], *stamps, row["properties"], history, archived_at)


def save(store: Store, file: Path) -> None:
    """Written beside and moved into place, so that a crash leaves the old file whole."""
    beside = file.with_name(file.name + ".new")
    beside.write_text(json.dumps(dump(store), indent=1))
    beside.replace(file)


def load_file(file: Path) -> Store:
    return load(json.loads(file.read_text()))

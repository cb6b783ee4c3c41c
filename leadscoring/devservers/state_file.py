"""The servers of `make services`: left running on purpose, found again, ended when asked."""

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from leadscoring.devservers.permissions import can_enter, make_home, temporary_home
from leadscoring.devservers.postgres import Postgres
from leadscoring.devservers.process_id import process_start_time
from leadscoring.devservers.redis import Redis
from leadscoring.devservers.server import ENDS_ON, ServerError, start_server, wait_until
from leadscoring.devservers.watchdog import ENDED_WITHIN

KEPT = Path(__file__).resolve().parents[2] / ".services"  # in this checkout


class Servers(NamedTuple):
    database_url: str
    redis_url: str


class KeptServer(NamedTuple):
    """What is written down about a server that was left running."""

    name: str
    pid: int
    began: str
    url: str

    def lives(self) -> bool:
        return process_start_time(self.pid) == self.began


def _read_state() -> list[KeptServer]:
    """Return servers left running for this very folder; none when it is a copy of another."""
    try:
        state = json.loads((KEPT / "state.json").read_text())
        return (
            [KeptServer(**one) for one in state["servers"]] if state["folder"] == str(KEPT) else []
        )
    except (OSError, ValueError, LookupError, TypeError):  # none yet, not ours to read, or torn
        return []


def running_servers() -> Servers | None:
    """Return the servers of `make services` for this checkout, if both live."""
    kept = _read_state()
    if len(kept) == 2 and all(server.lives() for server in kept):
        return Servers(*(server.url for server in kept))
    return None


def _data_folder() -> Path:
    """Return `.services`; for root, when `nobody` cannot reach the checkout, a folder in /var/tmp."""
    if can_enter(KEPT):
        return KEPT
    pointer = KEPT / "place"
    if not (pointer.exists() and _is_owned(Path(pointer.read_text()))):
        pointer.write_text(str(temporary_home("/var/tmp")))  # noqa: S108 - mkdtemp's is private
    return Path(pointer.read_text())


def _is_owned(folder: Path) -> bool:
    if not folder.exists():
        return False
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


@contextmanager
def _exclusive() -> Iterator[None]:
    """Let one `start` or `stop` run at a time."""
    make_home(KEPT)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start_servers() -> None:
    """Start both and leave them running; those that run already are found."""
    with _exclusive():
        if running_servers():
            return
        _end_recorded_servers()
        place = _data_folder()
        kept: list[KeptServer] = []
        for kind in (Postgres, Redis):
            home = place / kind.name.lower()
            server = start_server(kind, home, durable=True, ends_with_us=False)
            pid = server.process.pid
            kept.append(KeptServer(kind.name, pid, process_start_time(pid), server.url))
            _write_state(kept)


def _write_state(kept: list[KeptServer]) -> None:
    state = {"folder": str(KEPT), "servers": [server._asdict() for server in kept]}
    fresh = KEPT / "state.new"
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(state, file)
    fresh.replace(KEPT / "state.json")


def stop_servers() -> None:
    with _exclusive():
        _end_recorded_servers()


def _end_recorded_servers() -> None:
    """End what was left running here; a process that only has an old id of ours is let be."""
    for server in _read_state():
        if server.lives():
            os.kill(server.pid, ENDS_ON)
        if not wait_until(ENDED_WITHIN, lambda: not server.lives()):  # noqa: B023 - asked at once
            raise ServerError(f"{server.name} (process {server.pid}) does not end.")
    (KEPT / "state.json").unlink(missing_ok=True)

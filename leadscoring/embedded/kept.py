"""The servers of `make services`: left running on purpose, found again, ended when asked."""

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from leadscoring.embedded.alive import began
from leadscoring.embedded.guard import ENDED_WITHIN
from leadscoring.embedded.postgres import Postgres
from leadscoring.embedded.private import make_home, may_enter, temporary_home
from leadscoring.embedded.redis import Redis
from leadscoring.embedded.server import ENDS_ON, ServerError, begin, within

KEPT = Path(__file__).resolve().parents[2] / ".services"  # in this checkout


class Servers(NamedTuple):
    database_url: str
    redis_url: str


class Kept(NamedTuple):
    """What is written down about a server that was left running."""

    name: str
    pid: int
    began: str
    url: str

    def lives(self) -> bool:
        return began(self.pid) == self.began


def written_down() -> list[Kept]:
    """Servers left running for this very folder; nothing when it is a copy of another."""
    try:
        state = json.loads((KEPT / "state.json").read_text())
        return [Kept(**one) for one in state["servers"]] if state["folder"] == str(KEPT) else []
    except (OSError, ValueError, LookupError, TypeError):  # none yet, not ours to read, or torn
        return []


def running() -> Servers | None:
    """The servers of `make services` for this checkout, if both live."""
    kept = written_down()
    if len(kept) == 2 and all(server.lives() for server in kept):
        return Servers(*(server.url for server in kept))
    return None


def place_for_data() -> Path:
    """`.services`; for root whose checkout `nobody` can't reach, a folder in /var/tmp."""
    if may_enter(KEPT):
        return KEPT
    pointer = KEPT / "place"
    if not (pointer.exists() and is_ours(Path(pointer.read_text()))):
        pointer.write_text(str(temporary_home("/var/tmp")))  # noqa: S108 - mkdtemp's is private
    return Path(pointer.read_text())


def is_ours(folder: Path) -> bool:
    if not folder.exists():
        return False
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


@contextmanager
def alone() -> Iterator[None]:
    """One `start` or `stop` at a time."""
    make_home(KEPT)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start() -> None:
    """Start both and leave them running; those that run already are found."""
    with alone():
        if running():
            return
        end_kept()
        place = place_for_data()
        kept: list[Kept] = []
        for kind in (Postgres, Redis):
            home = place / kind.name.lower()
            server = begin(kind, home, durable=True, ends_with_us=False)
            pid = server.process.pid
            kept.append(Kept(kind.name, pid, began(pid), server.url))
            write_down(kept)


def write_down(kept: list[Kept]) -> None:
    state = {"folder": str(KEPT), "servers": [server._asdict() for server in kept]}
    fresh = KEPT / "state.new"
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(state, file)
    fresh.replace(KEPT / "state.json")


def stop() -> None:
    with alone():
        end_kept()


def end_kept() -> None:
    """End what was left running here; a process that only has an old id of ours is let be."""
    for server in written_down():
        if server.lives():
            os.kill(server.pid, ENDS_ON)
        if not within(ENDED_WITHIN, lambda: not server.lives()):  # noqa: B023 - asked at once
            raise ServerError(f"{server.name} (process {server.pid}) does not end.")
    (KEPT / "state.json").unlink(missing_ok=True)

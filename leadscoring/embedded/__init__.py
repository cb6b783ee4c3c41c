"""PostgreSQL and Redis servers for the demo, development and the tests.

They listen on loopback only, with a random password, on free ports, in folders that nobody else
reads. `servers` ends with the process that called it; those of `make services` run on.

Only the standard library is imported: the settings ask `running` before anything is set up.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from leadscoring.embedded.guard import end_with_parent
from leadscoring.embedded.kept import Servers, running
from leadscoring.embedded.postgres import Postgres
from leadscoring.embedded.private import temporary_home
from leadscoring.embedded.redis import Redis
from leadscoring.embedded.server import Server, ServerError, begin

__all__ = [
    "Postgres", "Redis", "Server", "ServerError", "Servers", "end_with_parent", "running",
    "servers", "serving",
]  # fmt: skip


@contextmanager
def passing_home() -> Iterator[Path]:
    """A new folder that goes with this process, however it ends.

    A server's own guard removes it too, after the server's last write; but between two of them
    (a cluster was made, its server not yet begun) there is nobody else to do it.
    """
    place = temporary_home()
    keeper = subprocess.Popen(
        end_with_parent(["/bin/sleep", "2147483647"], then_remove=place),
        cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield place
    finally:
        keeper.terminate()
        keeper.wait()
        shutil.rmtree(place, ignore_errors=True)  # ended before it could hear: it never began


@contextmanager
def serving(
    kind: type[Server], folder: Path | None = None, *, durable: bool = False
) -> Iterator[Server]:
    """One server that ends with this process; without a folder, in one that ends with it too.

    Not durable: fast, and what it holds may be lost with the machine (not with the process).
    """
    with ExitStack() as stack:
        place = folder or stack.enter_context(passing_home())
        server = begin(
            kind, place / kind.name.lower(), durable=durable, ends_with_us=True,
            then_remove=None if folder else place,
        )  # fmt: skip
        stack.callback(server.stop_for_good)
        yield server


@contextmanager
def servers(folder: Path | None = None, *, durable: bool = False) -> Iterator[Servers]:
    """PostgreSQL and Redis, ended with this process, however it ends."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(serving(kind, folder, durable=durable))
            for kind in (Postgres, Redis)
        ]
        yield Servers(*(server.url for server in started))

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

from leadscoring.devservers.permissions import temporary_home
from leadscoring.devservers.postgres import Postgres
from leadscoring.devservers.redis import Redis
from leadscoring.devservers.server import Server, ServerError, start_server
from leadscoring.devservers.state_file import Servers, running_servers
from leadscoring.devservers.watchdog import end_with_parent

__all__ = [
    "Postgres",
    "Redis",
    "Server",
    "ServerError",
    "Servers",
    "end_with_parent",
    "run_server",
    "run_servers",
    "running_servers",
]  # fmt: skip


@contextmanager
def temporary_server_home() -> Iterator[Path]:
    """Return a new folder that is removed with this process, however it ends.

    A server's own guard removes it too, after the server's last write. Between two servers (a cluster
    was made, its server not yet started) no guard runs.
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
def run_server(
    kind: type[Server], folder: Path | None = None, *, durable: bool = False
) -> Iterator[Server]:
    """Run one server that ends with this process; without a folder, in one that is removed with it.

    Not durable: fast, and what it holds may be lost with the machine (not with the process).
    """
    with ExitStack() as stack:
        place = folder or stack.enter_context(temporary_server_home())
        server = start_server(
            kind, place / kind.name.lower(), durable=durable, ends_with_us=True,
            then_remove=None if folder else place,
        )  # fmt: skip
        stack.callback(server.stop_for_good)
        yield server


@contextmanager
def run_servers(folder: Path | None = None, *, durable: bool = False) -> Iterator[Servers]:
    """Run PostgreSQL and Redis, ended with this process, however it ends."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(run_server(kind, folder, durable=durable))
            for kind in (Postgres, Redis)
        ]
        yield Servers(*(server.url for server in started))

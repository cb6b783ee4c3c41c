"""A server process with its own folder, port and password."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from leadscoring.devservers.permissions import (
    give_to_server_account,
    make_home,
    server_account,
    write_private,
)
from leadscoring.devservers.watchdog import ENDED_WITHIN, end_with_parent

READY_WITHIN = 60.0
# PostgreSQL's "fast": SIGTERM would wait for every client to leave. Redis takes either.
ENDS_ON = signal.SIGINT


class ServerError(Exception):
    """A server can't be found, started or ended; the sentence says which and why."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def server_environment() -> dict[str, str]:
    """Return our environment without what leads a PostgreSQL program elsewhere (PGDATA, PGPORT, …)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def wait_until(seconds: float, is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


class Server:
    """A server with its own folder, port and password. Stopped and started, it keeps all three."""

    name: str
    process: subprocess.Popen[bytes]

    def __init__(
        self,
        home: Path,
        *,
        durable: bool,
        ends_with_us: bool = True,
        then_remove: Path | None = None,
    ) -> None:
        self.home, self.durable = make_home(home), durable
        self.ends_with_us, self.then_remove = ends_with_us, then_remove
        self.port = _free_port()
        self.data = home / "data"
        password = home / "password"
        if not password.exists():
            write_private(password, secrets.token_urlsafe(24))
        self.password = password.read_text()
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
            give_to_server_account(self.data)
        elif self.data.stat().st_uid != server_account().get("user", os.geteuid()):
            raise ServerError(
                f"{self.data} belongs to another user: work as that user, or remove it."
            )
        self.prepare()

    def prepare(self) -> None:
        """Find the program, and make what it wants to find."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    def guarded(self, command: list[str]) -> list[str]:
        """Return the command under the servers' user, ended with us."""
        return end_with_parent(
            command, ends_on=ENDS_ON, account=server_account(), then_remove=self.then_remove
        )

    def start(self) -> None:
        """Start the server and return when it answers; raise ServerError with the log's end otherwise."""
        command, whom = self.command(), server_account()
        if self.ends_with_us:
            command, whom = self.guarded(command), {}
        # Closed to others: PostgreSQL repeats a statement that failed, with the data in it.
        descriptor = os.open(self.home / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open(descriptor, "ab") as log:
            self.process = subprocess.Popen(
                command, cwd="/", env=server_environment(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True, **whom,
            )  # fmt: skip
        if not wait_until(READY_WITHIN, lambda: self.process.poll() is not None or self.is_ready()):
            self.stop()
        if self.process.poll() is not None:
            raise ServerError(f"{self.name} did not start:\n{self.last_words()}")

    def stop(self, how: signal.Signals = ENDS_ON) -> None:
        """End it the orderly way; by force when that takes too long."""
        self.process.send_signal(how)
        try:
            self.process.wait(ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session: nothing else is in it
            self.process.wait()

    def stop_for_good(self) -> None:
        self.stop(signal.SIGTERM)  # to the guard, which removes the folder then

    def last_words(self) -> str:
        return "\n".join((self.home / "log").read_text(errors="replace").splitlines()[-8:])


def start_server(
    kind: type[Server],
    home: Path,
    *,
    durable: bool,
    ends_with_us: bool,
    then_remove: Path | None = None,
) -> Server:
    """Return a started server; take another port when the free one was taken in between."""
    for attempt in range(3):
        server = kind(home, durable=durable, ends_with_us=ends_with_us, then_remove=then_remove)
        try:
            server.start()
        except ServerError:
            if attempt == 2 or is_free(server.port):
                raise
        else:
            return server
    raise AssertionError("the third attempt starts or raises")

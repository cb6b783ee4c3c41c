"""Everything the demo runs on, started in private folders on free ports, and ended with it.

Knows no Django: it makes the environment in which Django is started. Nothing of the user's own
settings is used: the demo never writes into a database or a CRM that somebody cares for.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from leadscoring import devservers
from sandbox.demo.sales import sales_of

CHECKOUT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN = 60.0


class StageError(Exception):
    """A part of the demo did not start; the sentence says which and where its log is."""


@dataclass(frozen=True)
class Stage:
    """The running parts: addresses, the environment they share, where mail and logs arrive."""

    folder: Path
    environment: Mapping[str, str]
    web: str
    crm: str
    mails: Path

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a public command as a user would; standard error goes to a log."""
        with (self.folder / "commands.log").open("a") as log:
            return subprocess.run(
                [sys.executable, "manage.py", *arguments],
                cwd=CHECKOUT, env=dict(self.environment), stdout=subprocess.PIPE, stderr=log,
                text=True, timeout=300, check=False,
            )  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked_to_end(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def set_up(crm: str) -> Iterator[Stage]:
    """Everything, started and ended: also on Ctrl-C, a closed terminal (SIGHUP) and SIGTERM.

    When this very process is killed, the guards of `embedded.end_with_parent` end the rest.
    """
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, asked_to_end)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lead-demo-"))
        stage = arrange(Path(folder), stack.enter_context(devservers.run_servers()), crm)
        stack.enter_context(running(stage))
        yield stage


@contextmanager
def running(stage: Stage) -> Iterator[None]:
    """The stand-in, a mail server, web, worker and beat, each a process of its own."""
    python, sales = sys.executable, sales_of(stage.environment["CRM"])
    mail = stage.environment["EMAIL_URL"].removeprefix("smtp://")
    web = f"127.0.0.1:{port_of(stage.web)}"
    celery = (python, "-m", "celery", "-A", "leadscoring")
    commands = {
        "crm": (python, "-m", sales.module, "--port", port_of(stage.crm), *sales.options(stage.environment)),
        "mail": (python, "-m", "aiosmtpd", "-n", "-l", mail, "-c", "aiosmtpd.handlers.Mailbox", str(stage.mails)),
        "web": (python, "-m", "gunicorn", "leadscoring.wsgi", "--bind", web, "--workers", "2",
                "--worker-class", "leadscoring.operations.gunicorn_worker.BoundedThreadWorker", "--threads", "4", "--no-control-socket"),
        "worker": (*celery, "worker", "--concurrency", "2", "--without-mingle", "--without-gossip"),
        "beat": (*celery, "beat", "--schedule", str(stage.folder / "beat")),
    }  # fmt: skip
    migrated = stage.manage("migrate", "--no-input")
    if migrated.returncode:
        raise StageError(f"The database could not be set up; see {stage.folder}/commands.log.")
    with ExitStack() as stack:
        for name, command in commands.items():
            stack.enter_context(part(stage, name, command))
        wait_for(f"{stage.web}/healthz", stage)
        wait_for(stage.crm, stage)
        yield


def arrange(folder: Path, servers: devservers.Servers, crm_name: str = "hubspot") -> Stage:
    web, crm = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    own = {
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DEBUG": "off",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "CSRF_TRUSTED_ORIGINS": web,
        "BASE_URL": web,
        "EMAIL_URL": f"smtp://127.0.0.1:{free_port()}",
        "DEFAULT_FROM_EMAIL": "Northwind Tools <hello@northwind-tools.example>",
        "CRM": crm_name,
        **sales_of(crm_name).settings(crm),
        "CRM_POLL_SECONDS": "3",
        "CRM_MAX_AGE_SECONDS": "900",
        "SENTRY_DSN": "",
    }
    mails = folder / "mails"
    return Stage(folder, {**os.environ, **own}, web, crm, mails)


def port_of(address: str) -> str:
    return address.rpartition(":")[2]


@contextmanager
def part(stage: Stage, name: str, command: tuple[str, ...]) -> Iterator[None]:
    """One process with its log in the demo's folder, in a group of its own, ended at the end."""
    with (stage.folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            devservers.end_with_parent(command), cwd=CHECKOUT, env=dict(stage.environment), stdout=log, stderr=log,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    try:
        yield
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its own session: nobody else is in the group
        process.wait()


def wait_for(address: str, stage: Stage) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=2).close()  # noqa: S310 - our own loopback address
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            threading.Event().wait(0.1)
    raise StageError(
        f"{address} did not answer within {READY_WITHIN:.0f} s; the logs are in {stage.folder}."
    )

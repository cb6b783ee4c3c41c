"""Production on this machine: the processes as `Procfile` and `docker-compose.yml` say.

Commands and environments are read out of the files; only addresses are replaced.
"""

import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import yaml

from leadscoring import devservers
from leadscoring.devservers.permissions import server_account
from sandbox.demo.stage import Stage, free_port, part
from tests.loop.outside import Done, Outside, ask
from tests.production import requirements
from tests.production.image import ROOT, copy_image

PATIENCE = 120.0


def blanks_filled_in(crm_token: str, database_password: str, redis_password: str) -> dict[str, str]:
    """`.env` as the README says: copied from the example, and what has no default filled in.

    The CRM's address is a stand-in's, asked often, so that nobody waits; the rest is as shipped.
    """
    given = re.findall(r"^([A-Z_0-9]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M)
    return dict(given) | {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "BASE_URL": "http://localhost:8000",
        "EMAIL_URL": "off",
        "POSTGRES_PASSWORD": database_password,
        "REDIS_PASSWORD": redis_password,
        "FLOWER_BASIC_AUTH": f"ops:{secrets.token_hex(12)}",
        "HUBSPOT_ACCESS_TOKEN": crm_token,
        "HUBSPOT_BASE_URL": "http://crm:8900",
        "CRM_POLL_SECONDS": "2",
    }


def interpolated(value: Any, given: Mapping[str, str]) -> Any:
    """A part of the compose file with its variables put in, as compose does."""
    if isinstance(value, dict):
        return {name: interpolated(each, given) for name, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, given) for each in value]
    if not isinstance(value, str):
        return value

    def put_in(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        name, operator, rest = found[1], found[2], found[3]
        if operator == ":?" and not given.get(name):
            raise LookupError(rest)
        return given.get(name) or (rest if operator == ":-" else "")

    return re.sub(r"\$\$|\$\{([A-Z_0-9]+)(:[?-])?([^}]*)\}", put_in, value)


def compose(given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The services of docker-compose.yml that run our image, by name."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = {name: one for name, one in services.items() if one.get("image") == "leadscoring"}
    return {
        name: interpolated(one, given)
        | {"environment": passed_on(interpolated(one["environment"], given), given)}
        for name, one in ours.items()
    }


def passed_on(environment: Mapping[str, str | None], given: Mapping[str, str]) -> dict[str, str]:
    """A service's variables; one without a value is passed on from `.env` if it is there."""
    found = {
        name: given.get(name) if value is None else value for name, value in environment.items()
    }
    return {name: value for name, value in found.items() if value is not None}


def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line.strip())


def image_environment() -> dict[str, str]:
    """What the Dockerfile's ENV lines set."""
    lines = re.findall(r"^ENV (.*)$", (ROOT / "Dockerfile").read_text(), re.M)
    return dict(pair.split("=", 1) for line in lines for pair in shlex.split(line))


@dataclass
class Machine:
    """What all processes share: the image's files, its packages, where the services listen."""

    folder: Path
    app: Path
    packages: Path
    whom: dict[str, Any]
    addresses: dict[str, str]  # as in the files -> here
    settings: dict[str, str]  # of `.env`
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def here(self, text: str) -> str:
        for there, address in self.addresses.items():
            text = text.replace(there, address)
        return text

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        own = {
            "PATH": f"{self.packages / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.app),
            "HOSTNAME": socket.gethostname(),
            "LANG": "C.UTF-8",
        }
        of_image = image_environment() | {"PORT": self.addresses["localhost:8000"].split(":")[1]}
        return own | of_image | {name: self.here(value) for name, value in given.items()}

    def run(self, command: list[str], given: Mapping[str, str]) -> Done:
        """A command to its end."""
        done = subprocess.run(
            [self.here(word) for word in command], cwd=self.app, env=self.environment(given),
            capture_output=True, text=True, timeout=PATIENCE, check=False, **self.whom,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, name: str, command: str, given: Mapping[str, str]) -> None:
        """A process that lasts; it ends with this one, also when that is killed."""
        words, environment = shlex.split(self.here(command)), self.environment(given)
        # Looked up as the container would: in its own PATH, not in ours.
        words[0] = shutil.which(words[0], path=environment["PATH"]) or words[0]
        with (self.folder / f"{name}.log").open("w") as log:
            self.processes[name] = subprocess.Popen(
                devservers.end_with_parent(words, account=self.whom), cwd=self.app, env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def end(self) -> None:
        """Ask all at once, each by its own id, and wait."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(60)
        self.processes.clear()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


def until(look: Callable[[], Any], machine: Machine) -> Any:
    """What a look answers as soon as it is something. Ends at once when a process has ended."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for name, process in machine.processes.items():
            assert process.poll() is None, f"{name} ended:\n{machine.log(name)}"
        try:
            if seen := look():
                return seen
        except OSError:
            pass
        threading.Event().wait(0.2)
    ends = (f"--- {name}\n{machine.log(name)[-2000:]}" for name in machine.processes)
    raise AssertionError("It did not happen.\n" + "\n".join(ends))


@contextmanager
def machine() -> Iterator[tuple[Machine, Outside]]:
    """PostgreSQL, Redis and the CRM as compose names them, and an image that can be started."""
    token = f"pat-{secrets.token_hex(8)}"
    packages = requirements.made()
    _, without_rights = requirements.base_python()
    with ExitStack() as stack:
        folder = stack.enter_context(devservers.temporary_server_home())
        app = copy_image(folder / "app")
        servers = stack.enter_context(devservers.run_servers())
        database = urlsplit(servers.database_url)
        # As compose's image of PostgreSQL makes it: the user, the password, the database.
        assert database.username == "leadscoring"
        with psycopg.connect(servers.database_url, autocommit=True) as administrator:
            administrator.execute("CREATE DATABASE leadscoring")
        redis = urlsplit(servers.redis_url)
        settings = blanks_filled_in(token, str(database.password), str(redis.password))
        web, crm, flower = (free_port() for _ in range(3))
        addresses = {
            "@db:5432": f"@127.0.0.1:{database.port}",
            "@redis:6379": f"@127.0.0.1:{redis.port}",
            "http://crm:8900": f"http://127.0.0.1:{crm}",
            "localhost:8000": f"localhost:{web}",
            "localhost:5555": f"localhost:{flower}",
            "--port=5555": f"--port={flower}",
        }
        made = Machine(
            folder, app, packages, server_account() if without_rights else {}, addresses, settings
        )
        stage = Stage(
            folder, {**os.environ, **settings}, f"http://localhost:{web}", f"http://127.0.0.1:{crm}", folder / "mails"
        )  # fmt: skip
        # The CRM is no part of production: it runs on the packages of development.
        command = (sys.executable, "-m", "sandbox.hubspot", "--port", str(crm), "--token", token)
        stack.enter_context(part(stage, "crm", command))
        yield made, Outside(stage)


@contextmanager
def started(
    made: Machine, outside: Outside, release: tuple[str, Mapping[str, str]], processes: Mapping[str, tuple[str, Mapping[str, str]]]
) -> Iterator[Outside]:  # fmt: skip
    """The release command to its end, then all that lasts; a key to the API."""
    migrated = made.run(shlex.split(release[0]), release[1])
    assert migrated.code == 0, migrated.err
    try:
        for name, (command, given) in processes.items():
            made.start(name, command, given)
        until(lambda: ask("GET", f"{outside.stage.web}/healthz").status == 200, made)
        words = ["python", "manage.py", "create_api_key", f"website {secrets.token_hex(4)}"]
        key = made.run(words, processes["web"][1])
        assert key.code == 0, key.err
        yield Outside(outside.stage, key.out.strip())
    finally:
        made.end()


def by_procfile(made: Machine, outside: Outside) -> Any:
    given = {**made.settings, **addresses_of_services(made.settings)}
    lines = {name: (command, given) for name, command in procfile().items()}
    return started(made, outside, lines.pop("release"), lines)


def addresses_of_services(settings: Mapping[str, str]) -> dict[str, str]:
    """Beside a Procfile nobody but the operator names them."""
    given = compose(settings)["web"]["environment"]
    return {name: given[name] for name in ("DATABASE_URL", "REDIS_URL")}


def by_compose(made: Machine, outside: Outside) -> Any:
    services = {
        name: (one["command"], one["environment"]) for name, one in compose(made.settings).items()
    }
    return started(made, outside, services.pop("migrate"), services)

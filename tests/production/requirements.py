"""The environment of production: what requirements.txt says, alone."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from leadscoring.devservers.permissions import server_account
from tests.production.image import ROOT

PLACE = ROOT / "build" / "production"
NEWEST_KEPT = 2


def runs_as(python: str, whom: dict[str, Any]) -> bool:
    """Whether a Python is new enough and can make environments, as the user of the processes."""
    asks = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
    try:
        asked = subprocess.run([python, "-I", "-c", asks], cwd="/", check=False, **whom)
    except OSError:
        return False
    return asked.returncode == 0


@cache
def base_python() -> tuple[str, bool]:
    """A Python for production's environment, and whether a user without rights can run it there.

    Root's own is often in a folder that is closed to others.
    """
    candidates = [
        str(Path(getattr(sys, "_base_executable", sys.executable)).resolve()),
        "/usr/bin/python3",
        "/usr/local/bin/python3",
    ]
    PLACE.mkdir(parents=True, exist_ok=True)
    entered = subprocess.run(
        ["/bin/ls", str(PLACE)], capture_output=True, check=False, **server_account()
    )
    if entered.returncode == 0:
        for python in candidates:
            if runs_as(python, server_account()):
                return python, True
    return candidates[0], False


def made() -> Path:
    """The environment, made now unless it is there for this requirements.txt and this Python.

    Scripts know their folder, so it is made in its place; it counts only with the stamp, which comes
    last. One makes it at a time; a lock goes with the process that had it.
    """
    requirements = ROOT / "requirements.txt"
    python, _ = base_python()
    mark = hashlib.sha256(requirements.read_bytes() + python.encode()).hexdigest()[:16]
    folder, stamp = PLACE / mark, PLACE / f"{mark}.whole"
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.exists() and folder.exists()):
            shutil.rmtree(folder, ignore_errors=True)
            make(folder, python, requirements)
            stamp.touch()
        stamp.touch()
        forget_old_ones()
    return folder


def make(folder: Path, python: str, requirements: Path) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    inside = str(folder / "bin" / "python")
    if uv:
        # Who runs it may not write there: compiled now, or anew at each start of a process.
        run(uv, "venv", "--quiet", "--no-project", "--python", python, str(folder))
        run(
            uv,
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            inside,
            "-r",
            str(requirements),
        )
    else:
        run(python, "-m", "venv", str(folder))
        run(
            inside,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            str(requirements),
        )


def run(*command: str) -> None:
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")


def forget_old_ones() -> None:
    """Of requirements that are no more, some may still be wanted by another branch."""
    whole = sorted(PLACE.glob("*.whole"), key=lambda stamp: stamp.stat().st_mtime, reverse=True)
    for stamp in whole[NEWEST_KEPT:]:
        stamp.unlink()
        shutil.rmtree(PLACE / stamp.stem, ignore_errors=True)

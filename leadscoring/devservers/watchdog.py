"""End a process with the one that started it, even when that is killed or its terminal closes.

The command is the child of a small guard process that asks four times a second whether its own
parent is still the same. The dying process has nothing to do, no process id is guessed (a parent's
id cannot be reused while it is our parent), and threads do not matter.

The guard runs this file by itself: import nothing but the standard library.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ENDED_WITHIN = 30.0


def end_with_parent(
    command: Sequence[str],
    *,
    ends_on: signal.Signals = signal.SIGTERM,
    account: Mapping[str, Any] | None = None,
    then_remove: Path | None = None,
) -> list[str]:
    """Return a command for Popen that runs `command` and ends it when the calling process is gone.

    SIGTERM, SIGHUP and SIGINT are handed on as `ends_on`. `account`: the user of the command, in
    subprocess's words. `then_remove`: a folder to remove when the command has ended for good, so not
    after SIGINT, which asks for a pause.
    """
    order = {
        "parent": os.getpid(),
        "ends_on": int(ends_on),
        "account": account or {},
        "remove": str(then_remove or ""),
        "command": [str(word) for word in command],
    }
    # -I and -S: nothing of the checkout or its packages is imported, the guard is up at once.
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), json.dumps(order)]


def _run_guarded(order: dict[str, Any]) -> int:
    """Run a command as long as the parent lives; its exit code."""
    with contextlib.suppress(PermissionError):  # it leads a session of its own already
        os.setpgid(0, 0)
    child: subprocess.Popen[bytes] | None = None
    asked = for_good = False

    def ask(number: int, _: object = None) -> None:
        nonlocal asked, for_good
        asked, for_good = True, for_good or number != signal.SIGINT
        if child:
            child.send_signal(order["ends_on"])

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    child = subprocess.Popen(order["command"], **order["account"])
    if asked:  # before there was a child to signal
        ask(signal.SIGINT)
    orphaned_at = 0.0
    while child.poll() is None:
        if not orphaned_at and os.getppid() != order["parent"]:
            orphaned_at = time.monotonic()
            ask(signal.SIGTERM)
        if orphaned_at and time.monotonic() > orphaned_at + ENDED_WITHIN:
            os.killpg(0, signal.SIGKILL)  # our own group: this guard, the command, its children
        if select.select([woken], [], [], 0.25)[0]:
            os.read(woken, 1024)
    # The command may have ended by itself in the moment in which the parent died.
    orphaned = os.getppid() != order["parent"]
    if (for_good or orphaned) and order["remove"]:
        shutil.rmtree(order["remove"], ignore_errors=True)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


if __name__ == "__main__":
    sys.exit(_run_guarded(json.loads(sys.argv[1])))

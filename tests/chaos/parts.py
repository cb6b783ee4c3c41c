"""The processes of a storm, and what can be done to them: killed, frozen, thawed, started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from leadscoring import devservers
from sandbox.demo.stage import CHECKOUT
from tests.chaos.clock import Clock


@dataclass
class Part:
    """One process with its children, in a group of its own; its log goes on over all its lives."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    lives: int = 0

    def start(self, **more: str) -> None:
        """`more`: settings for this life alone."""
        with (self.folder / f"{self.name}.log").open("a") as log:
            self.process = subprocess.Popen(
                devservers.end_with_parent((sys.executable, *self.command)), cwd=CHECKOUT,
                env={**self.environment, **more}, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        self.lives += 1

    def signal(self, number: signal.Signals) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, number)  # its own session: nobody else is in the group

    def kill(self) -> None:
        """At once and without a word, with all its children."""
        if self.process:
            self.signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """All but its guard, which ends it when the storm itself is killed."""
        self.signal(signal.SIGSTOP)
        if self.process:
            self.process.send_signal(signal.SIGCONT)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def revive(self) -> bool:
        """What a supervisor does: start it again when it has ended by itself."""
        if self.process is None or self.process.poll() is None:
            return False
        self.start()
        return True

    def again(self, **more: str) -> None:
        self.kill()
        self.start(**more)


@dataclass
class Machine:
    """A worker and a beat that share nothing with other machines but addresses, and whose clock is
    wrong by so many seconds."""

    name: str
    wrong: float
    pool: tuple[str, ...]
    common: Mapping[str, str]
    clock: Clock
    folder: Path
    worker: Part = field(init=False)
    beat: Part = field(init=False)

    def __post_init__(self) -> None:
        home = self.folder / self.name
        home.mkdir()
        own = {**self.common, "HOME": str(home), "TMPDIR": str(home)}
        timed = ("-m", "tests.chaos.clock", str(self.wrong), str(self.clock.file))
        celery = (*timed, "celery", "-A", "leadscoring")
        worker = ("worker", *self.pool, "--without-mingle", "--without-gossip", "-n", self.name)
        self.worker = Part(f"worker-{self.name}", (*celery, *worker), own, home)
        beat = ("beat", "--schedule", str(home / "beat"))
        self.beat = Part(f"beat-{self.name}", (*celery, *beat), own, home)

"""Named places where a test can stop a process, to kill it exactly there. Harmless otherwise."""

import os
import time
from pathlib import Path

LONG = 600.0


def reach(name: str) -> None:
    """Create the file PAUSE_FILE when PAUSE_AT names this place, and wait to be killed."""
    if os.environ.get("PAUSE_AT") == name:
        Path(os.environ["PAUSE_FILE"]).touch()
        time.sleep(LONG)

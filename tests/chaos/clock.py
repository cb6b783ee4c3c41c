"""The time of the storm: a machine's clock may be wrong, and time may pass faster than it does here.

`python -m tests.chaos.clock WRONG FILE MODULE …` runs a module as `python -m` would, in a process
whose clocks are wrong by WRONG seconds and ahead by what FILE says, at every look. The file is
not something that machines share: it is what time it is. PostgreSQL's clock goes with it: functions
of the same names, found before its own, add what is in a table.
"""

import mmap
import runpy
import struct
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import time_machine

AHEAD = struct.Struct("d")
LOOKS_EACH = 0.2  # seconds: whoever sleeps wakes up when the time has come


DATABASE_TIME = """
    CREATE TABLE ahead (seconds float NOT NULL);
    INSERT INTO ahead VALUES (0);
    ALTER DATABASE postgres SET search_path = public, pg_catalog;
""" + "".join(
    f"CREATE FUNCTION public.{name}() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
    f"'SELECT pg_catalog.{name}() + seconds * interval ''1 second'' FROM public.ahead';"
    for name in ("clock_timestamp", "statement_timestamp", "transaction_timestamp", "now")
)


class Clock:
    """The harness's hand on everybody's time."""

    def __init__(self, file: Path) -> None:
        self.file, self.ahead = file, 0.0
        file.write_bytes(AHEAD.pack(0.0))

    def jump(self, seconds: float, database: psycopg.Connection) -> None:
        """So many seconds have gone by for every process of the storm."""
        self.ahead += seconds
        database.execute("UPDATE ahead SET seconds = %s", [self.ahead])
        with self.file.open("r+b") as file:
            file.write(AHEAD.pack(self.ahead))


def live_by(file: Path, wrong: float) -> None:
    """From now on this process and its children see the storm's time."""
    with file.open("rb") as opened:
        shown = mmap.mmap(opened.fileno(), AHEAD.size, access=mmap.ACCESS_READ)
    nanoseconds, monotonic, sleep = (
        time_machine.escape_hatch.time.time_ns,
        time.monotonic,
        time.sleep,
    )
    traveller: Any = time_machine.travel(time.time()).start()
    traveller.time_ns = lambda: nanoseconds() + int((wrong + AHEAD.unpack(shown)[0]) * 1e9)
    time.monotonic = lambda: monotonic() + AHEAD.unpack(shown)[0]

    def sleep_by_it(seconds: Any) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            sleep(min(left, LOOKS_EACH))

    time.sleep = sleep_by_it


def main() -> None:
    _, wrong, file, module, *arguments = sys.argv
    live_by(Path(file), float(wrong))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

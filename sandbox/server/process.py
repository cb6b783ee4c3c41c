"""A stand-in as a process: `python -m sandbox.hubspot --port 8900 --token TOKEN`."""

import argparse
import signal
from collections.abc import Callable
from pathlib import Path
from threading import Event

from .standin import Standin


def parser(crm: str, *, token: bool = True) -> argparse.ArgumentParser:
    """The options that every stand-in has. `token`: whether its only credential is a bearer token."""
    made = argparse.ArgumentParser(
        prog=f"python -m sandbox.{crm.lower()}", description=f"A local stand-in for {crm}."
    )
    made.add_argument("--port", type=int, default=8900, help="0: any free one")
    made.add_argument("--host", default="127.0.0.1")
    if token:
        made.add_argument("--token", required=True, help="the bearer token it accepts")
    made.add_argument("--file", type=Path, help="keeps the data in this JSON file")
    return made


def run(options: argparse.Namespace, make: Callable[..., Standin]) -> None:
    """Serve until SIGTERM or Ctrl-C. `make` takes the options by their names."""
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with make(**vars(options)) as standin:
        print(f"sandbox listening on {standin.url}", flush=True)  # noqa: T201 - what callers wait for
        ended.wait()

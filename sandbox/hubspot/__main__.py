"""`python -m sandbox.hubspot --port 8900 --token TOKEN`: the stand-in as a process."""

import argparse
import signal
from pathlib import Path
from threading import Event

from .seed import PORTAL_ID
from .server import Sandbox


def main() -> None:
    options = _options()
    sandbox = Sandbox(
        options.token,
        port=options.port,
        host=options.host,
        rate=options.rate,
        portal_id=options.portal_id,
        file=options.file,
    )
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with sandbox:
        print(f"sandbox listening on {sandbox.url}", flush=True)  # noqa: T201 - what callers wait for
        ended.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.hubspot", description="A local stand-in for HubSpot."
    )
    parser.add_argument("--port", type=int, default=8900, help="0: any free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--token", required=True, help="the bearer token it accepts")
    parser.add_argument("--rate", type=int, default=100, help="requests in 10 s; 0: no limit")
    parser.add_argument("--portal-id", type=int, default=PORTAL_ID)
    parser.add_argument("--file", type=Path, help="keeps the data in this JSON file")
    return parser.parse_args()


if __name__ == "__main__":
    main()

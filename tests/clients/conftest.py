"""The clients: programs of their own, and scripts in a page of another origin."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.in_flight import in_flight

__all__ = ["in_flight"]

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
CLOCK = HERE / "wrong_clock.js"
A_DAY = 86_400
SCRIPTS = {
    "segment": MODULES / "@segment/analytics-next/dist/umd/index.js",
    "rudderstack": MODULES / "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js",
}
# What sends, and how: "python" and "node" are programs, the others are scripts of a page.
CLIENTS = {
    "segment-analytics-python": ("python", "segment"),
    "rudder-sdk-python": ("python", "rudderstack"),
    "@segment/analytics-node": ("node", ""),
    "@segment/analytics-next, batches": ("batches", "segment"),
    "@segment/analytics-next, one by one": ("single", "segment"),
    "@rudderstack/analytics-js, batches": ("batches", "rudderstack"),
    "@rudderstack/analytics-js, one by one": ("single", "rudderstack"),
}


@dataclass(frozen=True)
class Running:
    """A client that sends its events and the calls beside them, until it is told to end."""

    name: str
    host: str
    key: str
    pages: str
    browser: Callable[[], Browser]

    @property
    def many(self) -> int:
        return 100 if CLIENTS[self.name][0] == "single" else 1_000

    @contextmanager
    def sending(self, events: int, *, clock_is_wrong: bool = False) -> Iterator[None]:
        how, of = CLIENTS[self.name]
        if how == "python":
            ahead = str(A_DAY if clock_is_wrong else 0)
            run(sys.executable, "send_python.py", of, self.host, self.key, str(events), ahead)
            yield
        elif how == "node":
            clock = ["--require", str(CLOCK)] if clock_is_wrong else []
            run(
                shutil.which("node") or "",
                *clock,
                "send_node.cjs",
                self.host,
                self.key,
                str(events),
            )
            yield
        else:
            given = {"host": self.host, "key": self.key, "events": events}
            context = self.browser().new_context()
            page = context.new_page()
            if clock_is_wrong:
                page.add_init_script(path=CLOCK)
            page.goto(f"{self.pages}/page.html")
            page.add_script_tag(url=f"{self.pages}/{SCRIPTS[of].relative_to(HERE)}")
            page.add_script_tag(url=f"{self.pages}/send_{of}_page.js")
            page.evaluate("given => send(given)", {**given, "batching": how == "batches"})
            try:
                yield
            finally:
                context.close()


def run(*command: str) -> None:
    """Run a client to its end; fail with what it says."""
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def pages() -> Iterator[str]:
    """Another site than ours, with a page that has the clients' scripts."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(HERE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=CLIENTS)
def client_of(
    request: pytest.FixtureRequest,
    live_server: LiveServer,
    settings: Settings,
    pages: str,
) -> Running:
    """One client after another, with a write key of ours and our address."""
    # This file is read before there are settings, which models need.
    from leadscoring import api_keys

    if CLIENTS[request.param][0] != "python" and not MODULES.exists():
        pytest.skip("NO NODE CLIENTS: `make clients` installs them where Node 20 or newer is")
    settings.BASE_URL = live_server.url
    _, key = api_keys.create_key("website", write_only=True)
    browser = partial(request.getfixturevalue, "browser")
    return Running(request.param, live_server.url, key, pages, browser)

"""The stand-in as a server: real HTTP/1.1 with keep-alive, one thread for each connection."""

from __future__ import annotations

import socket
import sys
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import control, door, pages, seed, state
from .door import Request, Response, as_json
from .settings import Settings, Token
from .store import Store

LONGEST_BODY = 5 * 1024 * 1024
IDLE_SECONDS = 60
DRIPS = 200
BODILESS = (204, 304)


class Sandbox:
    """A stand-in to start and stop. `with Sandbox(token="t") as crm: crm.url`"""

    def __init__(
        self,
        token: str,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        rate: int = 100,
        portal_id: int = seed.PORTAL_ID,
        file: Path | None = None,
    ) -> None:
        self._file = file
        self.host = host
        self.state = state.State(Settings(tokens={token: Token()}, rate=rate), portal_id)
        if file and file.exists():
            self.state.store = state.load_file(file)
        self._server = _Server((host, port), self)
        self.url = self.state.url = f"http://{_named(host)}:{self._server.server_port}"
        self._thread: Thread | None = None

    @property
    def store(self) -> Store:
        return self.state.store

    @property
    def settings(self) -> Settings:
        return self.state.settings

    def reset(self) -> None:
        """Be as on the first day, within a millisecond; whoever is connected is cut off."""
        self._server.hang_up()
        self.state.reset()

    def snapshot(self) -> bytes:
        """The account as it is now."""
        return self.state.snapshot()

    def restore(self, snapshot: bytes) -> None:
        """Have that account again; settings, trouble and journal stay as they are."""
        self.state.restore(snapshot)

    def start(self) -> Sandbox:
        """Serve in a thread of its own."""
        self._thread = Thread(target=self.serve, daemon=True)
        self._thread.start()
        return self

    def serve(self) -> None:
        """Serve until `stop`, in this thread."""
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """End at once, open connections too; what there is goes to the file."""
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        self.close()

    def close(self) -> None:
        self._server.server_close()
        self.state.webhooks.stop()
        self._server.hang_up()
        if self._file:
            with self.state.lock:
                state.save(self.store, self._file)

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def answer(self, request: Request) -> Response | None:
        if door.is_api(request.path):
            return door.answer(self.state, request)
        if request.path.startswith("/sandbox/"):
            return control.answer(self.state, request, self.host)
        return pages.answer(self.state, request, self.host)


def _named(host: str) -> str:
    return "127.0.0.1" if host in ("", "0.0.0.0") else host  # noqa: S104 - compared, not bound


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        self._guard = Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that are kept alive: a stopped server must not answer."""
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may hang up when they like; anything else is a bug that somebody must see."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc(file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    disable_nagle_algorithm = True  # else each answer on a kept connection takes 40 ms
    wbufsize = -1  # one packet for head and body
    timeout = IDLE_SECONDS
    server: _Server

    def _serve(self) -> None:
        length = self._length()
        if length is None:
            return
        at = datetime.now(UTC)
        split = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=split.path,
            query=parse_qs(split.query),
            headers=self.headers,
            body=self.rfile.read(length),
            client=str(self.client_address[0]),
            at=at.replace(microsecond=at.microsecond // 1000 * 1000),
        )
        self._send(self.server.sandbox.answer(request))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    def _length(self) -> int | None:
        """The body's length; a body that is too long, or of unknown length, is refused."""
        text = self.headers.get("Content-Length", "0")
        status = 0
        if "Transfer-Encoding" in self.headers or not (text.isascii() and text.isdigit()):
            status = 411
        elif len(text) > 12 or int(text) > LONGEST_BODY:
            status = 413
        if not status:
            return int(text)
        self.close_connection = True
        self._send(as_json(status, {"status": "error", "message": "body too long or not stated"}))
        return None

    def _send(self, response: Response | None) -> None:
        if response is None:
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        body = b"" if response.status in BODILESS else response.body
        if response.status not in BODILESS:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if response.drip_seconds:
            self._drip(body, response.drip_seconds)
        else:
            self.wfile.write(body)

    def _drip(self, body: bytes, seconds: float) -> None:
        """Most of it at once and the end byte by byte: no read has to wait long, the call does."""
        end = body[-DRIPS:]
        self.wfile.write(body[: len(body) - len(end)])
        for number in end:
            self.wfile.flush()
            time.sleep(seconds / len(end))
            self.wfile.write(bytes([number]))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what was asked is at /sandbox/requests."""

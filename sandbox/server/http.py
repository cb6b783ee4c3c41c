"""HTTP/1.1 with kept connections, one thread for each, on Werkzeug's server, requests and answers.

Werkzeug's own `run_wsgi` closes each connection and reads on for whatever the client sends next;
clients that keep their connections would lose requests. So the answer is sent here.
"""

import json
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from threading import Lock
from typing import Any

import werkzeug
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

LONGEST_BODY = 5 * 1024 * 1024  # bytes
IDLE_SECONDS = 60
DRIPS = 200  # bytes at the end of an answer that drips


class Answer(werkzeug.Response):
    """`made`: ids of the tasks that the request made, for the journal."""

    made: tuple[str, ...] = ()

    def drip(self, seconds: float) -> None:
        """Send most of it at once and the end byte by byte: no read waits long, the call does."""
        body = self.get_data()
        self.headers["Content-Length"] = str(len(body))
        self.response = _drips(body, seconds)


def _drips(body: bytes, seconds: float) -> Iterator[bytes]:
    end = body[-DRIPS:]
    yield body[: len(body) - len(end)]
    for number in end:
        time.sleep(seconds / len(end))
        yield bytes([number])


def as_json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """None: an answer without a body."""
    if body is None:
        return Answer(status=status, headers=headers)
    return Answer(json.dumps(body), status, headers, content_type="application/json;charset=utf-8")


class Request(werkzeug.Request):
    """`at`: when it came, in whole milliseconds."""

    @cached_property
    def at(self) -> datetime:
        at = datetime.now(UTC)
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    @cached_property
    def asked_path(self) -> str:
        """The path as it was sent, with its escapes."""
        return str(self.environ["RAW_URI"]).partition("?")[0]

    @cached_property
    def body(self) -> bytes:
        return self.get_data()  # kept, for a form is read out of it

    def asked(self, name: str, default: str = "") -> str:
        """The last value of a parameter of the query."""
        return (self.args.getlist(name) or [default])[-1]


App = Callable[[Request], Answer | None]


class Server(ThreadedWSGIServer):
    """`app`: answers a request; None ends the connection without an answer."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, app: App) -> None:
        self._open: set[socket.socket] = set()
        self._guard = Lock()
        self.answer = app
        super().__init__(host, port, _no_wsgi, handler=_Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End all connections: a stopped server must not answer on one that was kept."""
        with self._guard:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may hang up when they like; anything else is a bug that somebody must see."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc(file=sys.stderr)


def _no_wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
    raise NotImplementedError("requests are answered by _Handler")


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer on a kept connection takes 40 ms
    wbufsize = -1  # one packet for head and body
    timeout = IDLE_SECONDS
    server: Server

    def run_wsgi(self) -> None:
        request = Request(self.make_environ(), populate_request=False)
        refused = self._refused()
        if refused:
            self.close_connection = True  # its body was not read
        answer = as_json(*refused) if refused else self._answer(request)
        if answer is None:
            self.close_connection = True
            return
        pieces, status, headers = answer.get_wsgi_response(request.environ)
        if "Date" in answer.headers:  # of a CRM whose clock is another than ours
            self.send_response_only(int(status[:3]))
        else:
            self.send_response(int(status[:3]))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()
        self.wfile.flush()

    def _answer(self, request: Request) -> Answer | None:
        request.at, request.body  # noqa: B018 - now, and before the next request on this connection
        return self.server.answer(request)

    def _refused(self) -> tuple[int, Any] | None:
        """A body that is too long, or of unknown length, is not read."""
        text = self.headers.get("Content-Length", "0")
        status = 0
        if "Transfer-Encoding" in self.headers or not (text.isascii() and text.isdigit()):
            status = 411
        elif len(text) > 12 or int(text) > LONGEST_BODY:
            status = 413
        return (
            (status, {"status": "error", "message": "body too long or not stated"})
            if status
            else None
        )

    def log(self, type: str, message: str, *args: Any) -> None:
        """Write nothing: what was asked is at /sandbox/requests."""

"""Make HTTP requests with what urllib3 and the libraries above it lack.

One deadline for a whole call, answers of bounded size, no redirects, no retries, and errors of one
kind.
"""

import socket
from contextlib import suppress
from dataclasses import dataclass
from threading import Timer, local
from types import TracebackType
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

TOTAL_SECONDS = 20.0  # for a whole call
LONGEST_ANSWER = 16 * 1024 * 1024  # bytes

_this_thread = local()


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A whole answer. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpError(Exception):
    """The answer is not 2xx."""

    def __init__(self, answer: RawAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class NoHttpAnswer(Exception):
    """There is no answer. `sent`: the request may have reached the CRM."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


class HttpTransport:
    """A pool of connections. `seconds`: the longest a call may take.

    An answer that is not 2xx is raised: past a client library that calls `request`, which may read
    an error body without bound or fail on one that is not UTF-8.
    """

    def __init__(self, seconds: float = TOTAL_SECONDS) -> None:
        self._connections = PoolManager(num_pools=2, maxsize=8)
        self._connections.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        self.seconds = seconds

    def request(self, method: str, url: str, **more: Any) -> RawAnswer:
        """Return the answer if it is a 2xx; raise HttpError or NoHttpAnswer for all else."""
        more |= {"preload_content": False, "redirect": False, "retries": False}
        with _Deadline(self.seconds) as deadline:
            answer = self._answer(method, url, more, deadline)
        if len(answer.body) > LONGEST_ANSWER:
            raise NoHttpAnswer("the answer was too long to be one", sent=True)
        if not 200 <= answer.status <= 299:
            raise HttpError(answer)
        return answer

    def _answer(
        self, method: str, url: str, more: dict[str, Any], deadline: "_Deadline"
    ) -> RawAnswer:
        try:
            response = self._connections.request(method, url, **more)
            body = response.read(LONGEST_ANSWER + 1)
            if len(body) > LONGEST_ANSWER:
                response.close()
        except (ConnectTimeoutError, NewConnectionError) as fault:
            raise NoHttpAnswer(f"it cannot be reached ({_name(fault)})", sent=False) from None
        except (HTTPError, OSError) as fault:
            deadline.check()
            raise NoHttpAnswer(f"the connection failed ({_name(fault)})", sent=True) from None
        deadline.check()  # a connection that was cut may look like an answer that ended
        headers = {name.lower(): value for name, value in response.headers.items()}
        return RawAnswer(response.status, headers, body)


def _name(fault: Exception) -> str:
    """Return the kind of a fault. Leave out its text, which may hold addresses and header values."""
    return type(fault).__name__


class _Deadline:
    """Cut the connection of this thread when the time is over.

    A read timeout bounds each read; a server that sends byte by byte would hold the call open.
    """

    def __init__(self, seconds: float) -> None:
        self.connection: HTTPConnection | None = None
        self._seconds = seconds
        self._passed = False
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "_Deadline":
        _this_thread.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        _this_thread.deadline = None

    def check(self) -> None:
        if self._passed:
            raise NoHttpAnswer(f"the answer took longer than {self._seconds:g} s", sent=True)

    def _cut(self) -> None:
        self._passed = True
        connection = self.connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                # Of the plain socket, not TLS's own shutdown: that waits for nothing and frees
                # what the other thread is reading from.
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _watch(connection: HTTPConnection) -> None:
    deadline = getattr(_this_thread, "deadline", None)
    if deadline is not None:
        deadline.connection = connection


class _Connection(HTTPConnection):
    def request(self, *args: Any, **more: Any) -> None:
        _watch(self)
        super().request(*args, **more)


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:  # before the first request of a connection: TLS is made here
        _watch(self)
        super().connect()

    def request(self, *args: Any, **more: Any) -> None:
        _watch(self)
        super().request(*args, **more)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection

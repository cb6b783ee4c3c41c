"""A gunicorn worker that refuses what it cannot serve soon, instead of letting everybody wait.

gunicorn's own takes a thousand connections and lets them queue: beyond its pace each client waits until
its patience ends, and what is then served is answered to nobody.
"""

import json
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

# Requests that may wait for a thread of one worker: served within some two seconds.
MOST_WAITING = 100
RETRY_AFTER = 2  # seconds
# Threads that refuse, and the seconds that each gives a client to send the rest and read the answer.
REFUSERS, LINGER = 4, 0.5
BODY = json.dumps(
    {
        "error": {
            "code": "overloaded",
            "message": "There is too much to do at this moment; try again in a moment.",
            "fields": {},
        }
    }
).encode()
OVERLOAD = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
    b"Cache-Control: no-store\r\nConnection: close\r\n"
    + f"Retry-After: {RETRY_AFTER}\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    + BODY
)


class BoundedThreadWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's `gthread`, with a bound on the requests that wait for a thread."""

    in_hand = 0  # requests that wait or are served; of the main thread alone

    def init_process(self) -> None:
        self.refusing = ThreadPoolExecutor(REFUSERS)
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        if self.in_hand >= self.cfg.threads + MOST_WAITING:
            self.refuse(conn)
        else:
            self.in_hand += 1
            super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: "Future[Any]") -> None:
        self.in_hand -= 1
        super().finish_request(conn, fs)

    def refuse(self, conn: TConn) -> None:
        self.nr_conns -= 1
        self.refusing.submit(_answer_refusal, conn)


def _answer_refusal(conn: TConn) -> None:
    """Answer 503 and close. A client that is cut off while it sends would not see the answer."""
    until = time.monotonic() + LINGER
    with suppress(OSError):
        conn.sock.settimeout(LINGER)
        conn.sock.recv(65_536)
        conn.sock.sendall(OVERLOAD)
        conn.sock.shutdown(socket.SHUT_WR)
        while time.monotonic() < until and conn.sock.recv(65_536):
            pass
    conn.close()

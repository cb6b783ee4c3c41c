"""A gunicorn worker that refuses what it cannot serve soon, instead of letting everybody wait.

gunicorn's own takes a thousand connections and lets them queue: beyond its pace each client waits until
its patience ends, and what is then served is answered to nobody.
"""

import json
import re
import selectors
import socket
import time
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from leadscoring.operations.machine_addresses import MACHINE_ADDRESSES

# Requests that may wait for a thread of one worker: served within some two seconds.
MOST_WAITING = 100
RETRY_AFTER = 2  # seconds
# Threads for the addresses that machines ask; seconds until a new connection must have sent something.
MACHINE_THREADS, FIRST_BYTES = 2, 5.0
MACHINE_REQUEST = re.compile(f"GET (?:{'|'.join(MACHINE_ADDRESSES)})[ ?]".encode())
# Seconds until a request must have arrived whole, so that who sends it byte by byte holds no thread for ever.
ARRIVED_WITHIN = 30.0
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
    """gunicorn's `gthread`, with a bound on the requests that wait for a thread.

    Health, readiness and metrics have threads of their own: they answer also while each other thread
    waits for a server that hangs.
    """

    arrived_within = ARRIVED_WITHIN

    def init_process(self) -> None:
        self.refusing = ThreadPoolExecutor(REFUSERS)
        self.for_machines = ThreadPoolExecutor(MACHINE_THREADS)
        # Requests that wait or are served, by pool; of the main thread alone.
        self.in_hand: Counter[ThreadPoolExecutor] = Counter()
        # Until when requests must have arrived, the oldest first.
        self.arriving: deque[tuple[float, TConn, Future[Any]]] = deque()
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Give a request to a thread as soon as its first bytes are there, which say to which one."""
        if not (conn.initialized or conn.data_ready):
            self.await_data(conn)
            return
        pool = self.for_machines if _asked_by_machine(conn.sock) else self.tpool
        if self.in_hand[pool] >= self.cfg.threads + MOST_WAITING:
            self.refuse(conn)
            return
        self.in_hand[pool] += 1
        served = pool.submit(self.handle, conn)
        self.arriving.append((time.monotonic() + self.arrived_within, conn, served))
        served.add_done_callback(
            lambda served: self.method_queue.defer(self.finish, pool, conn, served)
        )

    def await_data(self, conn: TConn) -> None:
        """Let the poller wait for a new connection's first bytes: an idle one costs no thread."""
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + FIRST_BYTES
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def murder_pending(self) -> None:
        """End connections that send nothing, and cut off requests that still arrive."""
        super().murder_pending()
        while self.arriving:
            until, conn, served = self.arriving[0]
            if not served.done():
                if until > time.monotonic():
                    break
                # What came before is still read: a request that is only slow to be answered is answered.
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)
            self.arriving.popleft()

    def finish(self, pool: ThreadPoolExecutor, conn: TConn, served: "Future[Any]") -> None:
        self.in_hand[pool] -= 1
        self.finish_request(conn, served)

    def refuse(self, conn: TConn) -> None:
        self.nr_conns -= 1
        self.refusing.submit(_answer_refusal, conn)


def _asked_by_machine(sock: socket.socket) -> bool:
    """Return whether the request that arrives is for an address of the machines.

    A request that was read together with the one before is no longer in the socket: nothing is waited for.
    """
    try:
        return bool(MACHINE_REQUEST.match(sock.recv(64, socket.MSG_PEEK | socket.MSG_DONTWAIT)))
    except OSError:
        return False


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

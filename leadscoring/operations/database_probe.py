"""Whether PostgreSQL answers at all, found out in a bounded time.

A query to a server that hangs (a frozen machine, a full disk) has no end of its own: the kernel still
takes what is sent. So before readiness asks anything, the server is asked for a word that it gives
before any log-in. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
"""

import socket
import struct

from django.db import connection

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
SECONDS = 1.0


def database_answers(seconds: float = SECONDS) -> bool:
    """Return whether the server (or the pooler before it) answers within some seconds."""
    place = connection.settings_dict
    host, port = str(place.get("HOST") or "/var/run/postgresql"), int(place.get("PORT") or 5432)
    try:
        with _connected(host, port, seconds) as probe:
            probe.sendall(SSL_REQUEST)
            return probe.recv(1) in (b"S", b"N")
    except OSError:
        return False


def _connected(host: str, port: int, seconds: float) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), seconds)
    probe = socket.socket(socket.AF_UNIX)
    probe.settimeout(seconds)
    probe.connect(f"{host}/.s.PGSQL.{port}")
    return probe

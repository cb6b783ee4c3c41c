"""Redis, or Valkey: its options, and its check that it answers."""

import socket

from leadscoring.devservers.binaries import REDIS, find_binary
from leadscoring.devservers.permissions import write_private
from leadscoring.devservers.server import Server


class Redis(Server):
    name = "Redis"

    def prepare(self) -> None:
        self.binary = find_binary(REDIS, self.home / "programs")

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "dir": f'"{self.data}"',
            "save": '""',
            "appendonly": "yes" if self.durable else "no",
            "databases": 64,
        }
        # In a file, not in the command: all users of the machine can list commands.
        config = self.home / "redis.conf"
        write_private(config, "".join(f"{name} {value}\n" for name, value in settings.items()))
        return [str(self.binary), str(config)]

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as talk:
                talk.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                with talk.makefile("rb") as answer:
                    return [answer.readline(), answer.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False

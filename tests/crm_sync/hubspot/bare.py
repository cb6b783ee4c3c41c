"""A server that sends what it is told, byte for byte, at its own pace."""

import socket
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType


class BareServer:
    """Answers every request with `pieces`, `pause` seconds apart; no pieces: never answers."""

    def __init__(self, pieces: tuple[bytes, ...], pause: float = 0.0) -> None:
        self.pieces = pieces
        self.pause = pause
        self.ended = Event()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.door.getsockname()[1]}"

    @property
    def patience(self) -> float:
        """Seconds that a client should wait for it: it does not wait in vain for what comes at once."""
        return 0.7 if self.pause or not self.pieces else 5.0

    def __enter__(self) -> "BareServer":
        Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ended.set()
        self.door.close()

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.door.accept()
                Thread(target=self.answer, args=[connection], daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65_536)
            for piece in self.pieces:
                connection.sendall(piece)
                self.ended.wait(self.pause)
            if not self.pieces:
                self.ended.wait(30)

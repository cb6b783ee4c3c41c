"""What another process does meanwhile: on a thread of its own, with a connection of its own."""

import threading
from collections.abc import Callable

from django.db import connection


def elsewhere(action: Callable[[], object]) -> threading.Thread:
    """Begin it; join the thread to wait until it is done."""

    def run() -> None:
        try:
            action()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread

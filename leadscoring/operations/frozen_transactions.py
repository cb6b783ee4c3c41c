"""End the transaction of a process that stopped in its middle, so that its row locks keep nobody waiting.

A paused machine, or a process that was stopped, answers TCP still: neither keepalives nor a timeout of
whoever waits for the lock ends its transaction. Nothing here asks the network within one.
"""

from typing import Any

from django.db.backends.signals import connection_created

# A batch is computed between two statements; that takes a second or two.
SECONDS = 60


def install() -> None:
    """Bound the silence within a transaction, on each connection of this process."""
    connection_created.connect(_on_connection, dispatch_uid="frozen_transactions")


def _on_connection(connection: Any, **kwargs: object) -> None:
    with connection.cursor() as cursor:
        # Not as a parameter of the connection: a pooler may refuse those.
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, false)", [f"{SECONDS}s"]
        )

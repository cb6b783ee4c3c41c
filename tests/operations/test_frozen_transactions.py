"""A process that stops in the middle of a transaction keeps its locks for a minute, not for ever."""

from contextlib import closing

import pytest
from django.db import DatabaseError, connection, transaction

from leadscoring.models import Contact
from leadscoring.operations import frozen_transactions

pytestmark = pytest.mark.django_db(transaction=True)
LOCK = "SELECT 1 FROM leadscoring_contact FOR UPDATE"


def test_the_lock_of_a_process_that_stopped_is_given_up(monkeypatch):
    monkeypatch.setattr(frozen_transactions, "SECONDS", 1)
    Contact.objects.create(email="ada@lead.example")
    with closing(connection.copy()) as frozen:
        frozen.set_autocommit(False)
        frozen.cursor().execute(LOCK)

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '20s'")
            cursor.execute(LOCK)

        with pytest.raises(DatabaseError, match="idle-in-transaction timeout"):
            frozen.cursor().execute("SELECT 1")


def test_every_connection_has_the_bound():
    with closing(connection.copy()) as another, another.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == (f"{frozen_transactions.SECONDS // 60}min",)

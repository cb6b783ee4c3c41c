"""What claiming and recording a batch costs with much or little in the ledger. No CRM is asked."""

import os
import statistics
import time
from datetime import timedelta

from rich.console import Console

from tests.chaos.ground import Ground

ROUNDS = 15
WAITING = (1_000, 10_000, 100_000)
DELIVERED = 1_000_000
TASKS_DONE = """
    INSERT INTO crm_sync_handofftask (handoff_id, state, seen_at, text_subject, text_total, text_grade)
    SELECT id, 'done', delivered_at, '', total, grade FROM crm_sync_handoff WHERE status = 'delivered'
"""


def claims(over: Ground, console: Console) -> None:
    """Milliseconds for each lead, claimed and recorded in batches of a hundred."""
    os.environ.update(over.stage.environment, DJANGO_SETTINGS_MODULE="leadscoring.settings")
    import django

    django.setup()
    model = a_waiting_row()
    for delivered in (0, DELIVERED):
        if delivered:
            copies(model, delivered, status="delivered")
        waiting = 0
        for many in WAITING:
            copies(model, many - waiting, status="waiting")
            waiting = many
            milliseconds = cost()
            console.print(
                f"{many:>7} waiting, {delivered:>7} delivered: {milliseconds:.3f} ms a lead to claim and record"
            )
        forget(model, "waiting")


def a_waiting_row() -> int:
    """The ledger is emptied but for one row, the model of all others; its id."""
    from django.utils.timezone import now

    from crm_sync.models import Handoff
    from tests.crm_sync.makers import a_contact

    Handoff.objects.all().delete()
    at = now()
    row = Handoff.objects.create(
        contact=a_contact(), cycle=1, reference="LS-MODEL", total=80, grade="A1",
        reasons=[{"rule": "demo", "because": "Asked for a demo"}] * 4,
        crossed_at=at - timedelta(days=1), due_at=at + timedelta(days=1),
    )  # fmt: skip
    return int(row.pk)


def copies(model: int, many: int, *, status: str) -> None:
    """So many rows like the model, crossed one after the other, with scores of 70 to 99."""
    from django.db import connection

    from crm_sync.models import Handoff

    score, crossed = "70 + n %% 30", "row.crossed_at - n * interval '1 second'"
    own = {
        "cycle": "most + n", "reference": "'LS-' || most + n", "total": score, "crossed_at": crossed,
        "turn_at": f"{crossed} - ({score}) * interval '1 hour'", "due_at": crossed,
    }  # fmt: skip
    if status == "delivered":
        done = {"status": "'delivered'", "task_id": "(most + n)::text", "delivered_at": crossed,
                "task_tried_at": crossed, "record_id": "'1'", "owner_id": "'1'", "account_id": "'1'",
                "attempts": "1"}  # fmt: skip
        own |= done
    names = [field.column for field in Handoff._meta.concrete_fields if not field.primary_key]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO crm_sync_handoff ({', '.join(names)}) "
            f"SELECT {', '.join(own.get(name, f'row.{name}') for name in names)} "
            "FROM crm_sync_handoff row, (SELECT max(cycle) most FROM crm_sync_handoff) last, "
            "generate_series(1, %s) n WHERE row.id = %s",
            [many, model],
        )
        if status == "delivered":
            cursor.execute(TASKS_DONE)
        cursor.execute("VACUUM ANALYZE crm_sync_handoff, crm_sync_handofftask")


def forget(model: int, status: str) -> None:
    from crm_sync.models import Handoff

    Handoff.objects.filter(status=status).exclude(pk=model).delete()


def cost() -> float:
    """The median of some rounds; what was claimed is given back after each."""
    from django.utils.timezone import now

    from crm_sync.models import Handoff

    taken = []
    for _ in range(ROUNDS):
        at, began = now(), time.perf_counter()
        rows = Handoff.objects.claim(at=at)
        for row in rows:
            row.record_id = "1"
        ours = Handoff.objects.record(rows)
        taken.append((time.perf_counter() - began) * 1000 / len(ours))
        Handoff.objects.filter(pk__in=[row.pk for row in ours]).update(
            claim=None, due_at=at, attempts=0, failures=0
        )
    return statistics.median(taken)

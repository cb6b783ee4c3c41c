import django.db.models.deletion
from django.db import migrations, models

# What was never written down is as at the delivery: so it was read until now.
COPY = """
    INSERT INTO crm_sync_handofftask (
        handoff_id, state, due_at, seen_at, touched_at, text_subject, text_total, text_grade
    )
    SELECT id, coalesce(nullif(task_state, ''), 'open'), task_due_at,
        coalesce(task_seen_at, delivered_at), touched_at, told_subject, coalesce(told_total, total),
        coalesce(nullif(told_grade, ''), grade)
    FROM crm_sync_handoff WHERE status = 'delivered'
"""
COPY_BACK = """
    UPDATE crm_sync_handoff AS row
    SET task_state = task.state, task_due_at = task.due_at, task_seen_at = task.seen_at,
        touched_at = task.touched_at, told_subject = task.text_subject,
        told_total = task.text_total, told_grade = task.text_grade
    FROM crm_sync_handofftask AS task WHERE task.handoff_id = row.id
"""


class Migration(migrations.Migration):
    """Give the task of a delivered handoff a row of its own: add, fill, drop."""

    dependencies = [("crm_sync", "0015_comparison_run")]

    operations = [
        migrations.CreateModel(
            name="HandoffTask",
            fields=[
                (
                    "handoff",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="task",
                        serialize=False,
                        to="crm_sync.handoff",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Untouched"),
                            ("started", "Begun by the rep"),
                            ("done", "Done"),
                            ("deleted", "Deleted by the rep"),
                            ("closed", "Closed by us"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("seen_at", models.DateTimeField()),
                ("touched_at", models.DateTimeField(blank=True, null=True)),
                ("text_subject", models.CharField(blank=True, default="", max_length=255)),
                ("text_total", models.FloatField()),
                ("text_grade", models.CharField(max_length=2)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["open", "started", "done", "deleted", "closed"])
                        ),
                        name="a_task_is_in_a_known_state",
                    )
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["open", "started"])),
                        fields=["seen_at"],
                        name="open_task_by_seen",
                    ),
                    models.Index(fields=["seen_at"], name="task_by_seen"),
                ],
            },
        ),
        migrations.RunSQL(COPY, COPY_BACK),
        migrations.RemoveIndex(model_name="handoff", name="handoff_open_task_by_seen"),
        migrations.RemoveField(model_name="handoff", name="task_state"),
        migrations.RemoveField(model_name="handoff", name="task_due_at"),
        migrations.RemoveField(model_name="handoff", name="task_seen_at"),
        migrations.RemoveField(model_name="handoff", name="touched_at"),
        migrations.RemoveField(model_name="handoff", name="told_subject"),
        migrations.RemoveField(model_name="handoff", name="told_total"),
        migrations.RemoveField(model_name="handoff", name="told_grade"),
    ]

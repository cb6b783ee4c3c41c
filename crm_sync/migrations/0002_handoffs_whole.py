from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm_sync", "0001_first_tables"),
        ("leadscoring", "0001_first_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "work",
                    models.CharField(
                        choices=[
                            ("handoffs", "Handoffs"),
                            ("pull", "Reading the CRM"),
                            ("tasks", "Looking after tasks"),
                        ],
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("token", models.CharField(blank=True, default="", max_length=64)),
                ("because", models.CharField(max_length=1000)),
                ("denied", models.BooleanField(default=False)),
                ("strikes", models.PositiveIntegerField(default=0)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="account",
            name="guards_tasks",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="account",
            name="token",
            field=models.CharField(blank=True, default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="handoff",
            name="task_due_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="handoff",
            name="task_guarded",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="handoff",
            name="task_seen_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="handoff",
            name="task_state",
            field=models.CharField(
                blank=True,
                choices=[
                    ("open", "Untouched"),
                    ("started", "Begun by the rep"),
                    ("done", "Done"),
                    ("deleted", "Deleted by the rep"),
                    ("closed", "Closed by us"),
                ],
                default="",
                editable=False,
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="handoff",
            name="told_grade",
            field=models.CharField(blank=True, default="", editable=False, max_length=2),
        ),
        migrations.AddField(
            model_name="handoff",
            name="told_subject",
            field=models.CharField(blank=True, default="", editable=False, max_length=255),
        ),
        migrations.AddField(
            model_name="handoff",
            name="told_total",
            field=models.FloatField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="handoff",
            name="touched_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="handoff",
            name="turn_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        # Backwards there is nothing to do: the columns go.
        migrations.RunSQL(
            "UPDATE crm_sync_handoff SET turn_at = crossed_at - total * interval '1 hour',"
            " task_state = CASE WHEN status = 'delivered' THEN 'open' ELSE '' END",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="handoff",
            name="turn_at",
            field=models.DateTimeField(editable=False),
        ),
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(
                condition=models.Q(("status", "waiting")),
                fields=["turn_at", "id"],
                include=("due_at",),
                name="handoff_waiting_by_turn",
            ),
        ),
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(
                condition=models.Q(("attempts", 0), ("status", "waiting")),
                fields=["-crossed_at"],
                name="handoff_untried_by_crossing",
            ),
        ),
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(
                condition=models.Q(("task_state__in", ["open", "started"])),
                fields=["task_seen_at"],
                name="handoff_open_task_by_seen",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(("because", ""), _negated=True), name="a_hold_says_why"
            ),
        ),
    ]

"""Remember how far the CRM's changes are read, and how far everybody was looked at again."""

import datetime

from django.db import migrations, models
from django.db.models import Q

KINDS = [("contacts", "Contacts"), ("deals", "Deals")]


class Migration(migrations.Migration):
    dependencies = [("crm_sync", "0004_reports")]

    operations = [
        migrations.CreateModel(
            "Cursor",
            fields=[
                ("kind", models.CharField(choices=KINDS, max_length=10, primary_key=True, serialize=False)),
                ("position", models.DateTimeField()),
                ("at", models.DateTimeField()),
                ("searched_from", models.DateTimeField()),
                ("late_by", models.DurationField(default=datetime.timedelta(0))),
                ("late_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            "Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=10)),
                ("record_id", models.CharField(max_length=64)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "record_id", "changed_at"), name="a_change_is_applied_once"
                    )
                ],
                "indexes": [models.Index(fields=["kind", "changed_at"], name="change_by_age")],
            },
        ),
        migrations.CreateModel(
            "Round",
            fields=[
                ("kind", models.CharField(
                    choices=[("records", "Records"), ("associations", "Associations")],
                    max_length=12, primary_key=True, serialize=False,
                )),
                ("began_at", models.DateTimeField(null=True)),
                ("position", models.BigIntegerField(default=0)),
                ("people", models.PositiveIntegerField(default=0)),
                ("looked_at", models.DateTimeField(null=True)),
                ("whole_since", models.DateTimeField(null=True)),
                ("whole_until", models.DateTimeField(null=True)),
                ("whole_people", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(whole_since=None, whole_until=None)
                        | Q(whole_since__isnull=False, whole_until__isnull=False),
                        name="a_whole_round_has_an_end",
                    )
                ],
            },
        ),
        migrations.AddField("Deal", "changed_at", models.DateTimeField(null=True)),
        migrations.AddField("PullReport", "definitions_at", models.DateTimeField(null=True)),
    ]

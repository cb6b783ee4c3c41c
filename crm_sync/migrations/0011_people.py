import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm_sync", "0010_outcomes"),
        ("leadscoring", "0003_crm_state_by_record"),
    ]

    operations = [
        migrations.CreateModel(
            name="OptOut",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("email", models.CharField(max_length=254, unique=True)),
                ("asked_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField()),
                ("tries", models.PositiveIntegerField(default=0)),
                ("because", models.CharField(blank=True, default="", max_length=1000)),
            ],
        ),
        migrations.AddField(
            model_name="hint",
            name="erased",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="link",
            name="email",
            field=models.CharField(blank=True, default="", editable=False, max_length=254),
        ),
        migrations.AddField(
            model_name="link",
            name="gone_for_good",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="link",
            name="taken_email",
            field=models.CharField(blank=True, default="", editable=False, max_length=254),
        ),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(
                condition=models.Q(("gone_for_good", True)),
                fields=["gone_at"],
                name="link_gone_for_good",
            ),
        ),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(
                condition=models.Q(("taken_email", ""), _negated=True),
                fields=["taken_email"],
                name="link_address_taken",
            ),
        ),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("gone_for_good", False), ("gone_at__isnull", False), _connector="OR"
                ),
                name="only_what_is_gone_is_gone_for_good",
            ),
        ),
        migrations.AddField(
            model_name="optout",
            name="contact",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="opt_outs",
                to="leadscoring.contact",
            ),
        ),
        migrations.AddIndex(
            model_name="optout",
            index=models.Index(
                condition=models.Q(("told_at", None)), fields=["due_at"], name="opt_out_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="optout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("email", django.db.models.functions.text.Lower("email")),
                    models.Q(("email", ""), _negated=True),
                ),
                name="opt_out_has_an_address",
            ),
        ),
        migrations.AddConstraint(
            model_name="optout",
            constraint=models.CheckConstraint(
                condition=models.Q(("told_at", None), ("because", ""), _connector="OR"),
                name="who_was_told_of_did_not_fail",
            ),
        ),
    ]

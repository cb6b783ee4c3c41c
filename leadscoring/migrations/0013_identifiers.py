"""Ids of other sources than the company itself, and how types of activities were written.

A contact may be known by an id of another source alone.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("leadscoring", "0012_time_zone")]

    operations = [
        migrations.CreateModel(
            name="Identifier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=100)),
                ("value", models.CharField(max_length=200)),
                ("contact", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="identifiers", to="leadscoring.contact")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["source", "value"], name="one_contact_per_identifier_of_a_source"),
                    models.CheckConstraint(condition=~models.Q(source="") & ~models.Q(value=""), name="an_identifier_has_source_and_value"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ActivityType",
            fields=[
                ("name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("label", models.CharField(max_length=100)),
            ],
        ),
        migrations.RemoveConstraint(model_name="contact", name="contact_has_an_identifier"),
    ]

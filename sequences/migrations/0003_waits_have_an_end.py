"""Waits have an end, and suppressed addresses are kept in the form in which all others are."""

import datetime

import django.core.validators
from django.db import migrations, models

LONGEST = datetime.timedelta(days=3650)


def shorten_waits(apps, schema_editor):
    apps.get_model("sequences", "Step").objects.filter(wait__gt=LONGEST).update(wait=LONGEST)


def read_domains(apps, schema_editor):
    """One in punycode kept nobody from being written to, whose address is stored readable."""
    suppressions = apps.get_model("sequences", "Suppression").objects
    for row in suppressions.filter(email__contains="xn--"):
        local, _, domain = row.email.rpartition("@")
        try:
            email = f"{local}@{domain.encode('ascii').decode('idna').lower()}"
        except UnicodeError:
            continue
        if suppressions.filter(email=email).exists():
            row.delete()
        else:
            row.email = email
            row.save(update_fields=["email"])


class Migration(migrations.Migration):
    dependencies = [("sequences", "0002_opens_and_clicks")]

    operations = [
        migrations.RunPython(shorten_waits, migrations.RunPython.noop),
        migrations.RunPython(read_domains, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="step",
            name="wait",
            field=models.DurationField(
                help_text="After the mail before; of the first, after entering. Days and hours:minutes:seconds.",
                validators=[
                    django.core.validators.MinValueValidator(datetime.timedelta(0)),
                    django.core.validators.MaxValueValidator(LONGEST),
                ],
            ),
        ),
        migrations.AddConstraint(
            model_name="step",
            constraint=models.CheckConstraint(
                condition=models.Q(("wait__lte", LONGEST)), name="a_wait_has_an_end"
            ),
        ),
    ]

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("sequences", "0005_early_fits")]

    operations = [
        migrations.AddField(
            "Sequence",
            "archived_at",
            models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            "Sequence",
            models.CheckConstraint(
                condition=Q(archived_at=None) | Q(active=False),
                name="an_archived_sequence_is_off",
            ),
        ),
    ]

from django.db import migrations


class Migration(migrations.Migration):
    """Give tables the field's words; no data changes."""

    dependencies = [("crm_sync", "0011_people")]

    operations = [
        migrations.RenameModel("Hold", "Breaker"),
        migrations.RenameModel("Change", "AppliedChange"),
        migrations.RenameModel("Refusal", "RejectingStatus"),
    ]

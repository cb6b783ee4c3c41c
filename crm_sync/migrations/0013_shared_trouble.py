from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm_sync", "0012_field_words")]

    operations = [
        migrations.AddField(
            model_name="handoff",
            name="waits_for_crm",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="optout",
            name="waits_for_crm",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(
                condition=models.Q(("status", "waiting"), ("waits_for_crm", True)),
                fields=["due_at"],
                name="handoff_waiting_for_crm",
            ),
        ),
    ]

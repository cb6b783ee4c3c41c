from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("crm_sync", "0017_crm_ids")]

    operations = [
        migrations.RenameField("account", "token", "identity"),
        migrations.RenameField("breaker", "token", "identity"),
    ]

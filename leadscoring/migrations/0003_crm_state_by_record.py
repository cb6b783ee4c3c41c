"""Find the people of a CRM record that changed without reading all states."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("leadscoring", "0002_erased")]

    operations = [
        migrations.AddIndex(
            "CrmState",
            models.Index(
                fields=["record_id"], condition=~Q(record_id=""), name="crm_state_by_record"
            ),
        )
    ]

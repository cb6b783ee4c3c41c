from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("crm_sync", "0001_first_tables")]

    operations = [
        migrations.RemoveField("link", "lead_status_written"),
        migrations.AddField("link", "written", models.JSONField(blank=True, default=dict)),
        migrations.AddField("link", "gone_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "handoff", "failures", models.PositiveIntegerField(default=0, editable=False)
        ),
        migrations.AlterField(
            "pullreport", "finished_at", models.DateTimeField(auto_now=True, null=True)
        ),
        migrations.AddConstraint(
            "fieldmapping",
            models.CheckConstraint(
                condition=~Q(policy="forward_only") | Q(source="lifecycle_stage"),
                name="only_the_lifecycle_stage_goes_forward",
                violation_error_message="“Only forward” fits the lifecycle stage alone.",
            ),
        ),
    ]

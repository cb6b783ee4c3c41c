from django.db import migrations, models


class Migration(migrations.Migration):
    """Give columns the field's words; no data changes."""

    dependencies = [("leadscoring", "0004_aliases")]

    operations = [
        migrations.RenameField("crmstate", "because", "reason"),
        # PostgreSQL's constraints follow their renamed columns: only Django's picture of them changes.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name='crmstate',
                    name='an_effect_has_its_reason',
                ),
                migrations.AddConstraint(
                    model_name='crmstate',
                    constraint=models.CheckConstraint(condition=models.Q(('effect', 'none'), models.Q(('reason', ''), _negated=True), _connector='OR'), name='an_effect_has_its_reason'),
                ),
            ],
        ),
    ]

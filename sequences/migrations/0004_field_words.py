from django.db import migrations, models


class Migration(migrations.Migration):
    """Give columns the field's words; no data changes."""

    dependencies = [("sequences", "0003_waits_have_an_end")]

    operations = [
        migrations.RenameField("enrollment", "because", "reason"),
        migrations.RenameField("enrollment", "held_because", "hold_reason"),
        migrations.RenameField("enrollmentchange", "because", "reason"),
        migrations.RenameField("delivery", "because", "reason"),
        migrations.RenameField("mailserverfault", "because", "reason"),
        # PostgreSQL's constraints follow their renamed columns: only Django's picture of them changes.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name='delivery',
                    name='an_undelivered_mail_says_why',
                ),
                migrations.RemoveConstraint(
                    model_name='enrollment',
                    name='a_held_enrollment_has_its_reason',
                ),
                migrations.AddConstraint(
                    model_name='delivery',
                    constraint=models.CheckConstraint(condition=models.Q(('state__in', ['claimed', 'sent']), models.Q(('reason', ''), _negated=True), _connector='OR'), name='an_undelivered_mail_says_why'),
                ),
                migrations.AddConstraint(
                    model_name='enrollment',
                    constraint=models.CheckConstraint(condition=models.Q(('state', 'active'), ('state', 'finished'), models.Q(('reason', ''), _negated=True), _connector='OR'), name='a_held_enrollment_has_its_reason'),
                ),
            ],
        ),
    ]

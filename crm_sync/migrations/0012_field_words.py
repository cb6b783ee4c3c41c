from django.db import migrations, models


class Migration(migrations.Migration):
    """Give tables and columns the field's words; no data changes."""

    dependencies = [("crm_sync", "0011_people")]

    operations = [
        migrations.RenameModel("Hold", "Breaker"),
        migrations.RenameModel("Change", "AppliedChange"),
        migrations.RenameModel("Refusal", "RejectingStatus"),
        migrations.RenameField("account", "portal_id", "account_id"),
        migrations.RenameField("arrival", "refused_because", "rejected_reason"),
        migrations.RenameField("breaker", "because", "reason"),
        migrations.RenameField("breaker", "strikes", "failures"),
        migrations.RenameField("handoff", "because", "reason"),
        migrations.RenameField("handoff", "owner_because", "owner_reason"),
        migrations.RenameField("handoff", "portal_id", "account_id"),
        migrations.RenameField("hint", "mark", "version"),
        migrations.RenameField("link", "portal_id", "account_id"),
        migrations.RenameField("link", "written", "last_written"),
        migrations.RenameField("optout", "because", "reason"),
        # PostgreSQL's constraints follow their renamed columns: only Django's picture of them changes.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(
                    model_name='breaker',
                    name='a_hold_says_why',
                ),
                migrations.RemoveConstraint(
                    model_name='handoff',
                    name='one_handoff_per_task',
                ),
                migrations.RemoveConstraint(
                    model_name='handoff',
                    name='an_undelivered_handoff_says_why',
                ),
                migrations.RemoveConstraint(
                    model_name='link',
                    name='one_contact_per_crm_record',
                ),
                migrations.RemoveConstraint(
                    model_name='optout',
                    name='who_was_told_of_did_not_fail',
                ),
                migrations.AddConstraint(
                    model_name='breaker',
                    constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='a_hold_says_why'),
                ),
                migrations.AddConstraint(
                    model_name='handoff',
                    constraint=models.UniqueConstraint(condition=models.Q(('task_id', ''), _negated=True), fields=('account_id', 'task_id'), name='one_handoff_per_task'),
                ),
                migrations.AddConstraint(
                    model_name='handoff',
                    constraint=models.CheckConstraint(condition=models.Q(('status__in', ['waiting', 'delivered']), models.Q(('reason', ''), _negated=True), _connector='OR'), name='an_undelivered_handoff_says_why'),
                ),
                migrations.AddConstraint(
                    model_name='link',
                    constraint=models.UniqueConstraint(fields=('account_id', 'record_id'), name='one_contact_per_crm_record'),
                ),
                migrations.AddConstraint(
                    model_name='optout',
                    constraint=models.CheckConstraint(condition=models.Q(('told_at', None), ('reason', ''), _connector='OR'), name='who_was_told_of_did_not_fail'),
                ),
            ],
        ),
    ]

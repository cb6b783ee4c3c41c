from django.db import migrations, models


class Migration(migrations.Migration):
    """The words of pages alone: nothing changes in the database."""

    dependencies = [
        ('crm_sync', '0020_reassignments'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='fieldmapping',
            options={'verbose_name': 'mapped field'},
        ),
        migrations.AlterModelOptions(
            name='outcome',
            options={'verbose_name': 'handed-off lead'},
        ),
        migrations.AlterModelOptions(
            name='rejectingstatus',
            options={'verbose_name': 'status that counts as rejected', 'verbose_name_plural': 'statuses that count as rejected'},
        ),
        migrations.AlterField(
            model_name='fieldmapping',
            name='source',
            field=models.CharField(choices=[('email', 'E-mail'), ('first_name', 'First name'), ('last_name', 'Last name'), ('company', 'Company'), ('job_title', 'Job title'), ('phone', 'Phone'), ('country', 'Country'), ('score', 'Score'), ('fit', 'Fit score'), ('engagement', 'Engagement score'), ('grade', 'Grade'), ('reasons', 'Reasons of the score'), ('recent_activity', 'Recent activity'), ('sequence_history', 'Sequence history'), ('qualified_at', 'When ready for sales'), ('lifecycle_stage', 'Lifecycle stage'), ('constant', 'A fixed value')], max_length=30, verbose_name='value here'),
        ),
        migrations.AlterField(
            model_name='handoff',
            name='status',
            field=models.CharField(choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('needs_attention', 'Needs attention'), ('withdrawn', 'Kept here')], default='waiting', max_length=20),
        ),
        migrations.AlterField(
            model_name='outcome',
            name='state',
            field=models.CharField(choices=[('pending', 'Nothing yet'), ('deal', 'Deal'), ('won', 'Won'), ('lost', 'Lost'), ('refused', 'Rejected')], default='pending', max_length=10),
        ),
        migrations.AlterConstraint(
            model_name='fieldmapping',
            name='a_format_fits_its_value',
            constraint=models.CheckConstraint(condition=models.Q(('format', ''), models.Q(('format', 'whole'), ('source__in', ['score', 'fit', 'engagement'])), models.Q(('format', 'day'), ('source', 'qualified_at')), _connector='OR'), name='a_format_fits_its_value', violation_error_message='“Whole number” is for scores, “Day without a time” for “When ready for sales”.'),
        ),
    ]

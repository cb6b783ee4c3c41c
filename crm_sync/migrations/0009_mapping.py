from django.db import migrations, models


def let_stages_come(apps, schema_editor):
    """Lifecycle stages were raised to the CRM's all along; the mapping says so from now on."""
    mappings = apps.get_model('crm_sync', 'FieldMapping').objects
    mappings.filter(source='lifecycle_stage', policy='forward_only').update(direction='both')


class Migration(migrations.Migration):

    dependencies = [
        ('crm_sync', '0008_drifts'),
    ]

    operations = [
        migrations.AddField(
            model_name='fieldmapping',
            name='direction',
            field=models.CharField(choices=[('out', 'From here to the CRM'), ('in', 'From the CRM to here'), ('both', 'Both ways')], default='out', max_length=10),
        ),
        migrations.AddField(
            model_name='fieldmapping',
            name='format',
            field=models.CharField(blank=True, choices=[('', 'As it is'), ('whole', 'Whole number'), ('day', 'Day without a time')], default='', max_length=10),
        ),
        migrations.AddField(
            model_name='stage',
            name='first_seen_at',
            field=models.DateTimeField(null=True),  # nobody knows when those were first seen
        ),
        migrations.AlterField(
            model_name='stage',
            name='first_seen_at',
            field=models.DateTimeField(auto_now_add=True, null=True),
        ),
        migrations.AddField(
            model_name='stage',
            name='former_label',
            field=models.CharField(blank=True, default='', editable=False, max_length=200),
        ),
        migrations.AddField(
            model_name='stage',
            name='set_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='fieldmapping',
            name='policy',
            field=models.CharField(choices=[('ours_wins', 'Ours wins'), ('theirs_wins', 'Theirs wins'), ('when_empty', 'Only when empty'), ('when_empty_or_ours', 'Only when empty or ours'), ('forward_only', 'Only forward')], default='ours_wins', max_length=30, verbose_name='who wins'),
        ),
        migrations.AlterField(
            model_name='fieldmapping',
            name='property',
            field=models.CharField(max_length=100, unique=True, verbose_name='property there'),
        ),
        migrations.AlterField(
            model_name='fieldmapping',
            name='source',
            field=models.CharField(choices=[('email', 'E-mail'), ('first_name', 'First name'), ('last_name', 'Last name'), ('company', 'Company'), ('job_title', 'Job title'), ('phone', 'Phone'), ('country', 'Country'), ('score', 'Score'), ('fit', 'Fit score'), ('engagement', 'Engagement score'), ('grade', 'Grade'), ('reasons', 'Reasons of the score'), ('recent_activity', 'Recent activity'), ('sequence_history', 'Sequence history'), ('qualified_at', 'Time of the crossing'), ('lifecycle_stage', 'Lifecycle stage'), ('constant', 'A fixed value')], max_length=30, verbose_name='value here'),
        ),
        migrations.AlterField(
            model_name='fieldmapping',
            name='value',
            field=models.CharField(blank=True, default='', help_text='For a fixed value.', max_length=200, verbose_name='the fixed value'),
        ),
        migrations.RunPython(let_stages_come, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='fieldmapping',
            constraint=models.CheckConstraint(condition=models.Q(('direction', 'out'), ('source__in', ['first_name', 'last_name', 'job_title', 'phone', 'country', 'lifecycle_stage']), _connector='OR'), name='only_what_people_say_comes_from_the_crm', violation_error_message='Only names, job title, phone, country and lifecycle stage can come from the CRM.'),
        ),
        migrations.AddConstraint(
            model_name='fieldmapping',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('direction', 'out'), models.Q(('policy', 'theirs_wins'), _negated=True)), models.Q(models.Q(('direction', 'out'), _negated=True), ('policy__in', ['theirs_wins', 'when_empty', 'forward_only'])), _connector='OR'), name='who_wins_fits_the_direction', violation_error_message='“Theirs wins” is for values that come from the CRM; what comes from there takes “Theirs wins”, “Only when empty” or “Only forward”.'),
        ),
        migrations.AddConstraint(
            model_name='fieldmapping',
            constraint=models.CheckConstraint(condition=models.Q(('direction', 'out'), models.Q(('source', 'lifecycle_stage'), _negated=True), ('policy', 'forward_only'), _connector='OR'), name='a_lifecycle_stage_comes_forward', violation_error_message='A lifecycle stage comes from the CRM “Only forward”.'),
        ),
        migrations.AddConstraint(
            model_name='fieldmapping',
            constraint=models.CheckConstraint(condition=models.Q(('format', ''), models.Q(('format', 'whole'), ('source__in', ['score', 'fit', 'engagement'])), models.Q(('format', 'day'), ('source', 'qualified_at')), _connector='OR'), name='a_format_fits_its_value', violation_error_message='“Whole number” is for scores, “Day without a time” for the time of the crossing.'),
        ),
        migrations.AddConstraint(
            model_name='fieldmapping',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('direction', 'out'), _negated=True), ('enabled', True)), fields=('source',), name='one_property_fills_a_value', violation_error_message='Another property fills this value already.'),
        ),
        migrations.AlterConstraint(
            model_name='fieldmapping',
            name='a_fixed_value_is_given',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('source', 'constant'), _negated=True), models.Q(('value', ''), _negated=True), _connector='OR'), name='a_fixed_value_is_given', violation_error_message='Say which fixed value.'),
        ),
    ]


import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True)),
                ('hash', models.CharField(editable=False, max_length=64, unique=True)),
                ('prefix', models.CharField(editable=False, max_length=12)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('last_used_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'API key',
            },
        ),
        migrations.CreateModel(
            name='CrmFreshness',
            fields=[
                ('kind', models.CharField(choices=[('contacts', 'Contacts'), ('associations', 'Associations'), ('deals', 'Deals')], max_length=20, primary_key=True, serialize=False)),
                ('as_of', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'CRM freshness',
            },
        ),
        migrations.CreateModel(
            name='Company',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name_plural': 'companies',
                'indexes': [models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('name'), name='text_pattern_ops'), name='company_by_name')],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='one_company_per_name')],
            },
        ),
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(blank=True, max_length=254, null=True, unique=True, verbose_name='e-mail')),
                ('external_id', models.CharField(blank=True, max_length=200, null=True, unique=True)),
                ('first_name', models.CharField(blank=True, default='', max_length=200)),
                ('last_name', models.CharField(blank=True, default='', max_length=200)),
                ('job_title', models.CharField(blank=True, default='', max_length=200)),
                ('phone', models.CharField(blank=True, default='', max_length=50)),
                ('country', models.CharField(blank=True, default='', max_length=100)),
                ('properties', models.JSONField(blank=True, default=dict)),
                ('lifecycle_stage', models.CharField(choices=[('subscriber', 'Subscriber'), ('lead', 'Lead'), ('mql', 'MQL'), ('sql', 'SQL'), ('opportunity', 'Opportunity'), ('customer', 'Customer')], default='lead', max_length=20)),
                ('last_activity_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('company', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='contacts', to='leadscoring.company')),
            ],
        ),
        migrations.CreateModel(
            name='Activity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=100)),
                ('event_id', models.CharField(max_length=200)),
                ('type', models.CharField(max_length=100)),
                ('occurred_at', models.DateTimeField()),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('properties', models.JSONField(blank=True, default=dict)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='activities', to='leadscoring.contact')),
            ],
            options={
                'verbose_name_plural': 'activities',
            },
        ),
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('version', models.PositiveIntegerField()),
                ('source', models.TextField(help_text='The model as YAML; the format is on the documentation page.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('published_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('quiet', models.BooleanField(default=False, editable=False)),
            ],
            options={
                'verbose_name': 'scoring model',
                'constraints': [models.UniqueConstraint(fields=('name', 'version'), name='one_model_per_name_and_version'), models.UniqueConstraint(condition=models.Q(('published_at', None)), fields=('name',), name='one_draft_per_model_name')],
            },
        ),
        migrations.CreateModel(
            name='ProfileChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('fields', models.JSONField()),
                ('properties', models.JSONField(default=dict)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='profile_changes', to='leadscoring.contact')),
            ],
        ),
        migrations.CreateModel(
            name='CrmState',
            fields=[
                ('contact', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='crm_state', serialize=False, to='leadscoring.contact')),
                ('record_id', models.CharField(blank=True, default='', max_length=64)),
                ('record_url', models.URLField(blank=True, default='', max_length=500)),
                ('owner_id', models.CharField(blank=True, default='', max_length=64)),
                ('owner_name', models.CharField(blank=True, default='', max_length=200)),
                ('owner_email', models.CharField(blank=True, default='', max_length=254)),
                ('effect', models.CharField(choices=[('none', 'Nothing'), ('pause', 'Pauses'), ('stop', 'Stops')], default='none', max_length=10)),
                ('because', models.CharField(blank=True, default='', max_length=500)),
                ('since', models.DateTimeField()),
                ('deals', models.JSONField(blank=True, default=list)),
                ('opted_out', models.BooleanField(default=False)),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'CRM state',
                'indexes': [models.Index(condition=models.Q(('effect', 'none'), _negated=True), fields=['effect'], name='crm_state_with_effect')],
                'constraints': [models.CheckConstraint(condition=models.Q(('effect', 'none'), models.Q(('because', ''), _negated=True), _connector='OR'), name='an_effect_has_its_reason')],
            },
        ),
        migrations.CreateModel(
            name='Score',
            fields=[
                ('contact', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='score', serialize=False, to='leadscoring.contact')),
                ('at', models.DateTimeField()),
                ('total', models.FloatField()),
                ('fit', models.FloatField()),
                ('engagement', models.FloatField()),
                ('grade', models.CharField(max_length=2)),
                ('disqualified', models.BooleanField(default=False)),
                ('contributions', models.JSONField(default=list)),
                ('moves', models.BooleanField(default=False)),
                ('armed', models.BooleanField(default=True)),
                ('cycle', models.PositiveIntegerField(default=0)),
                ('crossed_at', models.DateTimeField(blank=True, null=True)),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='leadscoring.modelversion')),
            ],
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(models.OrderBy(models.F('last_activity_at'), descending=True, nulls_last=True), models.F('id'), name='contact_by_activity'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['lifecycle_stage'], name='contact_by_stage'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('last_name'), name='text_pattern_ops'), name='contact_by_last_name'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('first_name'), name='text_pattern_ops'), name='contact_by_first_name'),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email')), models.Q(('email', ''), _negated=True)), name='email_is_lower_case'),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.CheckConstraint(condition=models.Q(('external_id', ''), _negated=True), name='external_id_is_not_empty'),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.CheckConstraint(condition=models.Q(('email__isnull', False), ('external_id__isnull', False), _connector='OR'), name='contact_has_an_identifier', violation_error_message='A contact needs an e-mail address or an external id.'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(models.F('contact'), models.F('type'), models.OrderBy(models.F('occurred_at'), descending=True), name='activity_of_type'),
        ),
        migrations.AddIndex(
            model_name='activity',
            index=models.Index(models.F('contact'), models.OrderBy(models.F('occurred_at'), descending=True), name='activity_recent'),
        ),
        migrations.AddConstraint(
            model_name='activity',
            constraint=models.UniqueConstraint(fields=('source', 'event_id'), name='one_activity_per_source_and_event'),
        ),
        migrations.AddConstraint(
            model_name='profilechange',
            constraint=models.UniqueConstraint(fields=('contact', 'at'), name='one_profile_per_contact_and_instant'),
        ),
        migrations.AddIndex(
            model_name='score',
            index=models.Index(models.OrderBy(models.F('total'), descending=True), models.F('contact'), name='score_hottest_first'),
        ),
        migrations.AddIndex(
            model_name='score',
            index=models.Index(fields=['grade'], name='score_by_grade'),
        ),
        migrations.AddIndex(
            model_name='score',
            index=models.Index(condition=models.Q(('disqualified', True)), fields=['contact'], name='score_of_disqualified'),
        ),
        migrations.AddIndex(
            model_name='score',
            index=models.Index(condition=models.Q(('moves', True)), fields=['at'], name='score_that_moves'),
        ),
        migrations.AddConstraint(
            model_name='score',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('crossed_at', None), ('cycle', 0)), models.Q(('crossed_at__isnull', False), ('cycle__gt', 0)), _connector='OR'), name='a_cycle_began_with_a_crossing'),
        ),
    ]

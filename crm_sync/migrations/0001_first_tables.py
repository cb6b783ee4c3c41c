
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('leadscoring', '0001_first_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('portal_id', models.CharField(max_length=64, verbose_name='account')),
                ('time_zone', models.CharField(default='UTC', max_length=64)),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'CRM account',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_crm_account')],
            },
        ),
        migrations.CreateModel(
            name='Deal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('deal_id', models.CharField(max_length=64, unique=True)),
                ('name', models.CharField(blank=True, default='', max_length=300)),
                ('pipeline_id', models.CharField(blank=True, default='', max_length=64)),
                ('stage_id', models.CharField(blank=True, default='', max_length=64)),
                ('owner_id', models.CharField(blank=True, default='', max_length=64)),
                ('amount', models.DecimalField(decimal_places=4, max_digits=20, null=True)),
                ('closed', models.BooleanField(default=False)),
                ('won', models.BooleanField(default=False)),
                ('seen_at', models.DateTimeField()),
                ('contacts', models.ManyToManyField(related_name='deals', to='leadscoring.contact')),
            ],
        ),
        migrations.CreateModel(
            name='FieldMapping',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('email', 'E-mail'), ('first_name', 'First name'), ('last_name', 'Last name'), ('company', 'Company'), ('job_title', 'Job title'), ('phone', 'Phone'), ('country', 'Country'), ('score', 'Score'), ('fit', 'Fit score'), ('engagement', 'Engagement score'), ('grade', 'Grade'), ('reasons', 'Reasons of the score'), ('recent_activity', 'Recent activity'), ('sequence_history', 'Sequence history'), ('qualified_at', 'Time of the crossing'), ('lifecycle_stage', 'Lifecycle stage'), ('constant', 'A fixed value')], max_length=30)),
                ('property', models.CharField(max_length=100, unique=True)),
                ('policy', models.CharField(choices=[('ours_wins', 'Always ours'), ('when_empty', 'Only when empty there'), ('when_empty_or_ours', 'Only when empty there or written by us'), ('forward_only', 'Only forward')], default='ours_wins', max_length=30)),
                ('value', models.CharField(blank=True, default='', help_text='For a fixed value.', max_length=200)),
                ('enabled', models.BooleanField(default=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('source', 'constant'), _negated=True), models.Q(('value', ''), _negated=True), _connector='OR'), name='a_fixed_value_is_given'), models.CheckConstraint(condition=models.Q(models.Q(('policy', 'forward_only'), _negated=True), ('source', 'lifecycle_stage'), _connector='OR'), name='only_the_lifecycle_stage_goes_forward', violation_error_message='“Only forward” fits the lifecycle stage alone.')],
            },
        ),
        migrations.CreateModel(
            name='Link',
            fields=[
                ('contact', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='link', serialize=False, to='leadscoring.contact')),
                ('portal_id', models.CharField(max_length=64, verbose_name='account')),
                ('record_id', models.CharField(max_length=64)),
                ('owner_id', models.CharField(blank=True, default='', max_length=64)),
                ('lifecycle_stage', models.CharField(blank=True, default='', max_length=100)),
                ('lead_status', models.CharField(blank=True, default='', max_length=100)),
                ('written', models.JSONField(blank=True, default=dict)),
                ('opted_out', models.BooleanField(default=False)),
                ('seen_at', models.DateTimeField()),
                ('gone_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('portal_id', 'record_id'), name='one_contact_per_crm_record'), models.CheckConstraint(condition=models.Q(('record_id', ''), _negated=True), name='a_link_has_a_record')],
            },
        ),
        migrations.CreateModel(
            name='Owner',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner_id', models.CharField(max_length=64, unique=True)),
                ('name', models.CharField(blank=True, default='', max_length=200)),
                ('email', models.CharField(blank=True, default='', max_length=254, verbose_name='e-mail')),
                ('active', models.BooleanField(default=True, editable=False)),
                ('takes_leads', models.BooleanField(default=True, help_text='Gets leads that nobody owns, in turn with the others.')),
                ('is_fallback', models.BooleanField(default=False, help_text='Gets the leads that nobody else takes.', verbose_name='fallback')),
                ('time_zone', models.CharField(blank=True, default='', help_text="Empty: the account's.", max_length=64)),
                ('last_lead_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'rep',
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_fallback', True)), fields=('is_fallback',), name='one_fallback_rep', violation_error_message='Somebody else is the fallback: take it from them first.')],
            },
        ),
        migrations.CreateModel(
            name='PullReport',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(auto_now=True, null=True)),
                ('contacts', models.PositiveIntegerField(default=0)),
                ('deals', models.PositiveIntegerField(default=0)),
                ('error', models.CharField(blank=True, default='', max_length=1000)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_pull_report')],
            },
        ),
        migrations.CreateModel(
            name='Stage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('pipeline_id', models.CharField(max_length=64)),
                ('pipeline', models.CharField(max_length=200)),
                ('stage_id', models.CharField(max_length=64)),
                ('label', models.CharField(max_length=200)),
                ('position', models.IntegerField(default=0)),
                ('probability', models.FloatField(null=True)),
                ('closed', models.BooleanField(default=False)),
                ('won', models.BooleanField(default=False)),
                ('archived', models.BooleanField(default=False)),
                ('effect', models.CharField(blank=True, choices=[('none', 'Nothing'), ('pause', 'Pauses'), ('stop', 'Stops')], default='', max_length=10)),
                ('set_by', models.CharField(blank=True, default='', max_length=200)),
            ],
            options={
                'verbose_name': 'deal stage',
                'ordering': ['pipeline', 'position'],
                'constraints': [models.UniqueConstraint(fields=('pipeline_id', 'stage_id'), name='one_stage_per_pipeline_and_id')],
            },
        ),
        migrations.CreateModel(
            name='Handoff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cycle', models.PositiveIntegerField()),
                ('reference', models.CharField(max_length=20, unique=True)),
                ('total', models.FloatField(verbose_name='score')),
                ('grade', models.CharField(max_length=2)),
                ('reasons', models.JSONField(default=list)),
                ('crossed_at', models.DateTimeField()),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('needs_attention', 'Needs attention'), ('withdrawn', 'Withdrawn')], default='waiting', max_length=20)),
                ('because', models.CharField(blank=True, default='', max_length=1000)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('failures', models.PositiveIntegerField(default=0, editable=False)),
                ('due_at', models.DateTimeField()),
                ('claim', models.UUIDField(blank=True, editable=False, null=True)),
                ('portal_id', models.CharField(blank=True, default='', max_length=64, verbose_name='account')),
                ('record_id', models.CharField(blank=True, default='', max_length=64)),
                ('owner_id', models.CharField(blank=True, default='', max_length=64)),
                ('owner_because', models.CharField(blank=True, default='', max_length=300)),
                ('left_out', models.JSONField(blank=True, default=dict)),
                ('task_tried_at', models.DateTimeField(blank=True, null=True)),
                ('task_id', models.CharField(blank=True, default='', max_length=64)),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='handoffs', to='leadscoring.contact')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('status', 'waiting')), fields=['due_at'], name='handoff_waiting_by_due'), models.Index(fields=['status', '-crossed_at'], name='handoff_by_status')],
                'constraints': [models.UniqueConstraint(fields=('contact', 'cycle'), name='one_handoff_per_contact_and_cycle'), models.UniqueConstraint(condition=models.Q(('task_id', ''), _negated=True), fields=('portal_id', 'task_id'), name='one_handoff_per_task'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'delivered'), _negated=True), models.Q(models.Q(('task_id', ''), _negated=True), models.Q(('record_id', ''), _negated=True), models.Q(('owner_id', ''), _negated=True), ('delivered_at__isnull', False)), _connector='OR'), name='a_delivered_handoff_names_record_owner_and_task', violation_error_message='A delivered handoff must name its CRM record, owner and task.'), models.CheckConstraint(condition=models.Q(('status__in', ['waiting', 'delivered']), models.Q(('because', ''), _negated=True), _connector='OR'), name='an_undelivered_handoff_says_why'), models.CheckConstraint(condition=models.Q(('task_id', ''), ('task_tried_at__isnull', False), _connector='OR'), name='a_task_was_announced_before_it_was_made')],
            },
        ),
    ]

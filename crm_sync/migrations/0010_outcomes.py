import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm_sync', '0009_mapping'),
        ('leadscoring', '0003_crm_state_by_record'),
    ]

    operations = [
        migrations.AddField(
            model_name='deal',
            name='lost_reason',
            field=models.CharField(blank=True, default='', max_length=300),
        ),
        migrations.AddField(
            model_name='deal',
            name='made_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='Refusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=100, unique=True, verbose_name='lead status')),
            ],
            options={
                'verbose_name': 'refusing lead status',
                'verbose_name_plural': 'refusing lead statuses',
                'constraints': [models.CheckConstraint(condition=models.Q(('status', ''), _negated=True), name='a_refusal_is_said')],
            },
        ),
        migrations.CreateModel(
            name='Outcome',
            fields=[
                ('handoff', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='outcome', serialize=False, to='crm_sync.handoff')),
                ('state', models.CharField(choices=[('pending', 'Nothing yet'), ('deal', 'Deal'), ('won', 'Won'), ('lost', 'Lost'), ('refused', 'Refused')], default='pending', max_length=10)),
                ('reason', models.CharField(blank=True, default='', max_length=300)),
                ('since', models.DateTimeField()),
                ('lead_status', models.CharField(blank=True, default='', max_length=100)),
                ('seen_at', models.DateTimeField()),
                ('model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='leadscoring.modelversion')),
            ],
            options={
                'verbose_name': 'outcome',
                'verbose_name_plural': 'leads and what became of them',
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('state', 'refused'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='a_refused_lead_says_why'), models.CheckConstraint(condition=models.Q(('state__in', ['refused', 'lost']), ('reason', ''), _connector='OR'), name='only_what_ended_badly_has_a_reason')],
            },
        ),
    ]

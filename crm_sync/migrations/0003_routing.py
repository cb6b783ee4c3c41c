import datetime
import django.core.validators
import django.db.models.constraints
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm_sync', '0002_handoffs_whole'),
    ]

    operations = [
        migrations.CreateModel(
            name='RoutingRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(editable=False)),
                ('kind', models.CharField(choices=[('contact_owner', "The contact's owner in the CRM"), ('company_owner', "The owner of the contact's company in the CRM"), ('territory', 'A territory: some leads, in turn'), ('turn', 'All leads, in turn')], max_length=20)),
                ('name', models.CharField(help_text='Stands in the reason of each choice.', max_length=60)),
                ('enabled', models.BooleanField(default=True, verbose_name='on')),
                ('condition', models.TextField(blank=True, default='', max_length=4000, verbose_name='which leads')),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.CreateModel(
            name='RulePlace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weight', models.PositiveSmallIntegerField(blank=True, help_text="Share of the turn, 1 to 100. Empty: the rep's own.", null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)])),
                ('credit', models.IntegerField(default=0, editable=False)),
            ],
            options={
                'verbose_name': 'rep',
            },
        ),
        migrations.AddField(
            model_name='owner',
            name='away_from',
            field=models.DateField(blank=True, null=True, verbose_name='first day away'),
        ),
        migrations.AddField(
            model_name='owner',
            name='away_until',
            field=models.DateField(blank=True, help_text='Empty: until further notice.', null=True, verbose_name='last day away'),
        ),
        migrations.AddField(
            model_name='owner',
            name='closes',
            field=models.TimeField(default=datetime.time(17, 0), verbose_name='works until'),
        ),
        migrations.AddField(
            model_name='owner',
            name='counted_on',
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='owner',
            name='country',
            field=models.CharField(blank=True, default='', help_text='Empty: no holidays.', max_length=3, verbose_name='holidays of'),
        ),
        migrations.AddField(
            model_name='owner',
            name='credit',
            field=models.IntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='owner',
            name='leads_counted',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='owner',
            name='most_a_day',
            field=models.PositiveSmallIntegerField(blank=True, help_text="By the rep's own day. Empty: no bound.", null=True, verbose_name='most leads a day'),
        ),
        migrations.AddField(
            model_name='owner',
            name='opens',
            field=models.TimeField(default=datetime.time(9, 0), verbose_name='works from'),
        ),
        migrations.AddField(
            model_name='owner',
            name='subdivision',
            field=models.CharField(blank=True, default='', max_length=40, verbose_name='state or region'),
        ),
        migrations.AddField(
            model_name='owner',
            name='weight',
            field=models.PositiveSmallIntegerField(default=1, help_text='Share of the turn, 1 to 100: with 3, three leads for each one of a 1.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)]),
        ),
        migrations.AddField(
            model_name='owner',
            name='working_days',
            field=models.CharField(blank=True, default='12345', max_length=7),
        ),
        migrations.AlterField(
            model_name='owner',
            name='is_fallback',
            field=models.BooleanField(default=False, help_text='Gets the leads for which no rule finds anybody, however many they are.', verbose_name='fallback'),
        ),
        migrations.AlterField(
            model_name='owner',
            name='takes_leads',
            field=models.BooleanField(default=True, help_text='Is in turn wherever a rule names no reps of its own.'),
        ),
        migrations.AddConstraint(
            model_name='owner',
            constraint=models.CheckConstraint(condition=models.Q(('weight__range', (1, 100))), name='a_rep_weighs_1_to_100', violation_error_message='A weight is from 1 to 100.'),
        ),
        migrations.AddConstraint(
            model_name='owner',
            constraint=models.CheckConstraint(condition=models.Q(('most_a_day', None), ('most_a_day__gte', 1), _connector='OR'), name='a_bound_lets_one_lead_through', violation_error_message='At least one lead a day; somebody who gets none is away.'),
        ),
        migrations.AddConstraint(
            model_name='owner',
            constraint=models.CheckConstraint(condition=models.Q(('away_from', None), ('away_until', None), ('away_until__gte', models.F('away_from')), _connector='OR'), name='away_ends_after_it_begins', violation_error_message='The last day away is before the first.'),
        ),
        migrations.AddConstraint(
            model_name='owner',
            constraint=models.CheckConstraint(condition=models.Q(('working_days__regex', '^1?2?3?4?5?6?7?$')), name='working_days_are_days_in_order'),
        ),
        migrations.AddConstraint(
            model_name='owner',
            constraint=models.CheckConstraint(condition=models.Q(('opens__lt', models.F('closes'))), name='a_working_day_opens_before_it_closes', violation_error_message='The working day ends before it begins.'),
        ),
        migrations.AddConstraint(
            model_name='routingrule',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('position',), name='one_routing_rule_per_position'),
        ),
        migrations.AddConstraint(
            model_name='routingrule',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ['contact_owner', 'company_owner'])), fields=('kind',), name='one_routing_rule_per_kind_of_owner', violation_error_message='There is such a rule already: turn it on or move it.'),
        ),
        migrations.AddConstraint(
            model_name='routingrule',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'territory'), ('condition', ''), _connector='XOR'), name='territories_alone_have_a_condition', violation_error_message='A territory says which leads it is for, and other rules do not.'),
        ),
        migrations.AddConstraint(
            model_name='routingrule',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='a_routing_rule_has_a_name'),
        ),
        migrations.AddField(
            model_name='ruleplace',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='places', to='crm_sync.owner', verbose_name='rep'),
        ),
        migrations.AddField(
            model_name='ruleplace',
            name='rule',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='places', to='crm_sync.routingrule'),
        ),
        migrations.AddConstraint(
            model_name='ruleplace',
            constraint=models.UniqueConstraint(fields=('rule', 'owner'), name='one_place_per_rule_and_rep', violation_error_message='The rep is named twice.'),
        ),
        migrations.AddConstraint(
            model_name='ruleplace',
            constraint=models.CheckConstraint(condition=models.Q(('weight', None), ('weight__range', (1, 100)), _connector='OR'), name='a_place_weighs_1_to_100', violation_error_message='A weight is from 1 to 100.'),
        ),
    ]

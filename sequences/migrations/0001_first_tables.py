
import datetime
import django.core.validators
import django.db.models.constraints
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('leadscoring', '0001_first_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Sequence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True)),
                ('enter_when', models.JSONField(blank=True, default=dict)),
                ('active', models.BooleanField(default=True, help_text='When off, nobody enters and nothing is sent; people keep their place.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='Enrollment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('active', 'Active'), ('paused', 'Paused'), ('stopped', 'Stopped'), ('finished', 'Finished')], default='active', max_length=10)),
                ('because', models.CharField(blank=True, default='', max_length=500)),
                ('by', models.CharField(max_length=200, verbose_name='caused by')),
                ('next_position', models.PositiveIntegerField(default=1)),
                ('next_at', models.DateTimeField(blank=True, null=True)),
                ('wait_left', models.DurationField(blank=True, null=True)),
                ('held_because', models.CharField(blank=True, default='', max_length=500)),
                ('entered_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='enrollments', to='leadscoring.contact')),
                ('sequence', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='enrollments', to='sequences.sequence')),
            ],
        ),
        migrations.CreateModel(
            name='EnrollmentChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('state', models.CharField(choices=[('active', 'Active'), ('paused', 'Paused'), ('stopped', 'Stopped'), ('finished', 'Finished')], max_length=10)),
                ('because', models.CharField(blank=True, default='', max_length=500)),
                ('by', models.CharField(max_length=200)),
                ('enrollment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='sequences.enrollment')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='MailServerFault',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('because', models.CharField(max_length=500)),
                ('since', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='one_mail_server_fault')],
            },
        ),
        migrations.CreateModel(
            name='Step',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('wait', models.DurationField(help_text='After the mail before; of the first, after entering. Days and hours:minutes:seconds.', validators=[django.core.validators.MinValueValidator(datetime.timedelta(0))])),
                ('subject', models.CharField(max_length=500)),
                ('body', models.TextField(help_text="Markdown with merge fields such as {{ first_name|default:'there' }}.")),
                ('sequence', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='sequences.sequence')),
            ],
            options={
                'ordering': ['sequence', 'position'],
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='e-mail')),
                ('reason', models.CharField(choices=[('unsubscribed', 'Unsubscribed'), ('crm_opt_out', 'Opted out in the CRM'), ('bounced', 'Address refused mail'), ('by_hand', 'Entered by hand')], max_length=20)),
                ('detail', models.CharField(blank=True, default='', max_length=500)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email'))), name='suppressed_email_is_lower_case')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('email', models.EmailField(max_length=254, verbose_name='sent to')),
                ('subject', models.CharField(blank=True, default='', max_length=500)),
                ('state', models.CharField(choices=[('claimed', 'Being sent'), ('waiting', 'To be tried again'), ('sent', 'Sent'), ('failed', 'Failed'), ('unclear', 'Perhaps sent')], default='claimed', max_length=10)),
                ('because', models.CharField(blank=True, default='', max_length=500)),
                ('message_id', models.CharField(max_length=255, unique=True)),
                ('attempts', models.PositiveIntegerField(default=1)),
                ('claimed_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('activity_stored', models.BooleanField(default=False, verbose_name="among the person's activities")),
                ('enrollment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='sequences.enrollment')),
            ],
            options={
                'verbose_name': 'mail',
                'indexes': [models.Index(condition=models.Q(('state', 'claimed')), fields=['claimed_at'], name='delivery_left_behind'), models.Index(condition=models.Q(('activity_stored', False), ('state', 'sent')), fields=['sent_at'], name='delivery_without_activity'), models.Index(condition=models.Q(('state__in', ['failed', 'unclear'])), fields=['state'], name='delivery_needing_a_person')],
                'constraints': [models.UniqueConstraint(fields=('enrollment', 'position'), name='one_delivery_per_enrollment_and_step'), models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at', None)), _connector='OR'), name='a_sent_delivery_has_its_time'), models.CheckConstraint(condition=models.Q(('activity_stored', False), ('state', 'sent'), _connector='OR'), name='only_a_sent_mail_is_an_activity'), models.CheckConstraint(condition=models.Q(('state__in', ['claimed', 'sent']), models.Q(('because', ''), _negated=True), _connector='OR'), name='an_undelivered_mail_says_why')],
            },
        ),
        migrations.AddIndex(
            model_name='enrollment',
            index=models.Index(condition=models.Q(('state', 'active')), fields=['next_at'], name='enrollment_due'),
        ),
        migrations.AddIndex(
            model_name='enrollment',
            index=models.Index(fields=['sequence', 'state', 'next_position'], name='enrollment_of_sequence'),
        ),
        migrations.AddConstraint(
            model_name='enrollment',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['active', 'paused'])), fields=('contact', 'sequence'), name='one_open_enrollment_per_contact_and_sequence'),
        ),
        migrations.AddConstraint(
            model_name='enrollment',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'active'), ('state', 'finished'), models.Q(('because', ''), _negated=True), _connector='OR'), name='a_held_enrollment_has_its_reason'),
        ),
        migrations.AddConstraint(
            model_name='enrollment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('next_at__isnull', False), ('state', 'active')), models.Q(models.Q(('state', 'active'), _negated=True), ('next_at', None)), _connector='OR'), name='only_an_active_enrollment_has_a_next_time'),
        ),
        migrations.AddConstraint(
            model_name='enrollment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'paused'), ('wait_left__isnull', False)), models.Q(models.Q(('state', 'paused'), _negated=True), ('wait_left', None)), _connector='OR'), name='only_a_paused_enrollment_keeps_its_wait'),
        ),
        migrations.AddConstraint(
            model_name='step',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['DEFERRED'], fields=('sequence', 'position'), name='one_step_per_sequence_and_position'),
        ),
        migrations.AddConstraint(
            model_name='step',
            constraint=models.CheckConstraint(condition=models.Q(('position__gte', 1)), name='steps_count_from_one'),
        ),
        migrations.AddConstraint(
            model_name='step',
            constraint=models.CheckConstraint(condition=models.Q(('wait__gte', datetime.timedelta(0))), name='a_wait_is_not_negative'),
        ),
    ]

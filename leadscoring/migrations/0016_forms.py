"""Forms of web pages and of form services, and what their fields become."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('leadscoring', '0015_sources'),
    ]

    operations = [
        migrations.CreateModel(
            name='Form',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(help_text='Letters, digits and hyphens, such as contact-us. It cannot be changed later.', unique=True)),
                ('kind', models.CharField(choices=[('page', 'A form on a web page'), ('typeform', 'Typeform'), ('tally', 'Tally'), ('calendly', 'Calendly'), ('webflow', 'Webflow'), ('json', 'Another service')], default='page', max_length=10)),
                ('activity_type', models.CharField(default='form_submit', help_text='What filling it in is called in scoring rules and sequences.', max_length=100)),
                ('thank_you', models.CharField(blank=True, default='', help_text='Where people are led afterwards. Empty: a short thank-you of ours.', max_length=500, validators=[django.core.validators.URLValidator(schemes=['http', 'https'])], verbose_name='thank-you page')),
                ('origins', models.TextField(blank=True, default='', help_text='One a line, such as https://www.example.com. Forms on other websites are refused. Empty: any website may send, but no script of it.', verbose_name='allowed websites')),
                ('address_hash', models.CharField(blank=True, default='', editable=False, max_length=64)),
                ('signing_secret', models.CharField(blank=True, default='', editable=False, max_length=1000)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('address_hash', ''), ('kind', 'page'), ('signing_secret', '')), models.Q(models.Q(('kind', 'page'), _negated=True), models.Q(('address_hash', ''), _negated=True)), _connector='OR'), name='a_service_has_a_secret_address'), models.UniqueConstraint(condition=models.Q(('address_hash', ''), _negated=True), fields=('address_hash',), name='one_form_per_secret_address')],
            },
        ),
        migrations.CreateModel(
            name='FormField',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Its name, label or question; in what another service sends the way to it, such as customer.email.', max_length=200, verbose_name='field of the form')),
                ('becomes', models.CharField(choices=[('email', 'E-mail'), ('first_name', 'First name'), ('last_name', 'Last name'), ('name', 'Full name'), ('company', 'Company'), ('job_title', 'Job title'), ('phone', 'Phone'), ('country', 'Country'), ('property', 'Property of the person'), ('detail', 'Detail of the activity'), ('no_mail', 'Wish for no mail'), ('visitor', 'Visitor id'), ('time', 'Time'), ('event_id', 'Id of the submission'), ('nothing', 'Nothing (left out)')], max_length=10)),
                ('property', models.CharField(blank=True, default='', help_text='Its name, such as company_size.', max_length=100)),
                ('form', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='fields', to='leadscoring.form')),
            ],
            options={
                'verbose_name': 'field',
                'constraints': [models.UniqueConstraint(fields=('form', 'name'), name='one_meaning_per_field_of_a_form'), models.CheckConstraint(condition=models.Q(models.Q(('becomes', 'property'), models.Q(('property', ''), _negated=True)), models.Q(models.Q(('becomes', 'property'), _negated=True), ('property', '')), _connector='OR'), name='a_property_has_a_name', violation_error_message='A property of the person needs a name, and nothing else has one.')],
            },
        ),
    ]

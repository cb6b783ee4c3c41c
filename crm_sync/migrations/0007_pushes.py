import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm_sync', '0006_hints'),
    ]

    operations = [
        migrations.AlterField(
            model_name='hold',
            name='work',
            field=models.CharField(choices=[('handoffs', 'Handoffs'), ('pull', 'Reading the CRM'), ('tasks', 'Looking after tasks'), ('push', 'Telling the CRM of changes')], max_length=10, primary_key=True, serialize=False),
        ),
        migrations.CreateModel(
            name='Push',
            fields=[
                ('link', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='push', serialize=False, to='crm_sync.link')),
                ('at', models.DateTimeField()),
                ('total', models.FloatField(default=0)),
                ('grade', models.CharField(blank=True, default='', max_length=2)),
                ('refused', models.JSONField(blank=True, default=dict)),
            ],
            options={
                'verbose_name_plural': 'pushes',
                'indexes': [models.Index(condition=models.Q(('refused', {}), _negated=True), fields=['at'], name='push_refused')],
            },
        ),
    ]

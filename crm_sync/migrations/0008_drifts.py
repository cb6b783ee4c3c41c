from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('crm_sync', '0007_pushes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Drift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(unique=True)),
                ('looked', models.PositiveIntegerField()),
                ('differed', models.PositiveIntegerField()),
                ('oldest_seconds', models.FloatField(default=0)),
                ('fields', models.JSONField(default=dict)),
                ('everybody', models.BooleanField(default=False)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('differed__lte', models.F('looked'))), name='no_more_differ_than_were_seen')],
            },
        ),
    ]

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('leadscoring', '0011_access_log'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReaderTimeZone',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='reader_time_zone', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('zone', models.CharField(max_length=64)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('zone', ''), _negated=True), name='a_zone_is_named')],
            },
        ),
    ]

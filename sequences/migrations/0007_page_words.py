from django.db import migrations, models


class Migration(migrations.Migration):
    """The words of pages alone: nothing changes in the database."""

    dependencies = [
        ('sequences', '0006_archive'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='enrollment',
            options={'verbose_name': 'person in a sequence', 'verbose_name_plural': 'people in sequences'},
        ),
        migrations.AlterModelOptions(
            name='enrollmentchange',
            options={'ordering': ['at', 'pk'], 'verbose_name': 'change of a person in a sequence', 'verbose_name_plural': 'changes of people in sequences'},
        ),
        migrations.AlterModelOptions(
            name='suppression',
            options={'verbose_name': 'address not to mail', 'verbose_name_plural': 'addresses not to mail'},
        ),
        migrations.AlterField(
            model_name='suppression',
            name='reason',
            field=models.CharField(choices=[('unsubscribed', 'Unsubscribed'), ('crm_opt_out', 'Opt-out in the CRM'), ('bounced', 'Address refused mail'), ('by_hand', 'Entered by hand')], max_length=20),
        ),
    ]

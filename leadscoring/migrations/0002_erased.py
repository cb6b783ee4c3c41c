from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leadscoring", "0001_first_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erased",
            fields=[
                ("hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "erased",
            },
        ),
        migrations.CreateModel(
            name="ErasureSalt",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("value", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="one_erasure_salt")
                ],
            },
        ),
    ]

"""How many activities of each type came, by source and day; what a type is called may be edited."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("leadscoring", "0018_websites")]

    operations = [
        migrations.AlterModelOptions(
            name="activitytype", options={"default_permissions": ("view", "change")}
        ),
        migrations.AddField(
            model_name="activitytype",
            name="came_before",
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="activitytype",
            name="came_last_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="activitytype",
            name="label",
            field=models.CharField("is called", blank=True, help_text="On pages and in lists. Rules and sequences go by the type.", max_length=100),
        ),
        migrations.AlterField(
            model_name="activitytype",
            name="name",
            field=models.CharField("type", editable=False, max_length=100, primary_key=True, serialize=False),
        ),
        migrations.CreateModel(
            name="TypeCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=100)),
                ("type", models.CharField(max_length=100)),
                ("day", models.DateField()),
                ("times", models.PositiveBigIntegerField()),
                ("last_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["type"], name="type_count_by_type"),
                    models.Index(fields=["day"], name="type_count_by_day"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=["source", "day", "type"], name="one_count_per_source_day_and_type")
                ],
            },
        ),
    ]

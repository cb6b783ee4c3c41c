"""A source is whoever sends: a key, a form, a provider's webhook, a file. Counts of keys become theirs.

Tables are locked until it has ended, so nothing that comes meanwhile is counted for nobody.
"""

import django.db.models.deletion
from django.db import migrations, models

# Foreign keys are checked at the end of a transaction; a table with checks to come cannot be altered.
FILL = """
    INSERT INTO leadscoring_source (name, kind, created_at, ended_at)
    SELECT name, 'key', created_at, revoked_at FROM leadscoring_apikey;
    UPDATE leadscoring_sourcecount AS counted SET source_id = source.id
    FROM leadscoring_apikey AS key JOIN leadscoring_source AS source USING (name)
    WHERE key.id = counted.api_key_id;
    UPDATE leadscoring_nottaken AS reason SET source_id = source.id
    FROM leadscoring_apikey AS key JOIN leadscoring_source AS source USING (name)
    WHERE key.id = reason.api_key_id;
    SET CONSTRAINTS ALL IMMEDIATE
"""
BACK = """
    UPDATE leadscoring_sourcecount AS counted SET api_key_id = key.id
    FROM leadscoring_apikey AS key JOIN leadscoring_source AS source USING (name)
    WHERE source.id = counted.source_id;
    UPDATE leadscoring_nottaken AS reason SET api_key_id = key.id
    FROM leadscoring_apikey AS key JOIN leadscoring_source AS source USING (name)
    WHERE source.id = reason.source_id;
    DELETE FROM leadscoring_sourcecount WHERE api_key_id IS NULL;
    DELETE FROM leadscoring_nottaken WHERE api_key_id IS NULL;
    SET CONSTRAINTS ALL IMMEDIATE
"""


def source_of(related_name, **options):
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=related_name,
        to="leadscoring.source",
        **options,
    )


def key_of(related_name):
    return models.ForeignKey(
        null=True,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=related_name,
        to="leadscoring.apikey",
    )


class Migration(migrations.Migration):
    dependencies = [("leadscoring", "0014_segment")]

    operations = [
        migrations.DeleteModel(name="Source"),
        migrations.CreateModel(
            name="Source",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
                ("kind", models.CharField(choices=[("key", "API key"), ("form", "Form"), ("hook", "Form service"), ("import", "File")], max_length=10)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": ("view",),
                "constraints": [models.CheckConstraint(condition=~models.Q(name=""), name="a_source_has_a_name")],
            },
        ),
        migrations.RemoveConstraint(model_name="sourcecount", name="one_count_per_key_and_time"),
        migrations.RemoveConstraint(model_name="nottaken", name="one_row_per_key_and_reason"),
        migrations.AlterField(model_name="sourcecount", name="api_key", field=key_of("counts")),
        migrations.AlterField(model_name="nottaken", name="api_key", field=key_of("not_taken")),
        migrations.AddField(model_name="sourcecount", name="source", field=source_of("counts", null=True)),
        migrations.AddField(model_name="nottaken", name="source", field=source_of("not_taken", null=True)),
        migrations.RunSQL(FILL, BACK),
        migrations.AlterField(model_name="sourcecount", name="source", field=source_of("counts")),
        migrations.AlterField(model_name="nottaken", name="source", field=source_of("not_taken")),
        migrations.RemoveField(model_name="sourcecount", name="api_key"),
        migrations.RemoveField(model_name="nottaken", name="api_key"),
        migrations.AddConstraint(
            model_name="sourcecount",
            constraint=models.UniqueConstraint(fields=["source", "at"], name="one_count_per_source_and_time"),
        ),
        migrations.AddConstraint(
            model_name="nottaken",
            constraint=models.UniqueConstraint(fields=["source", "kind", "field", "message"], name="one_row_per_source_and_reason"),
        ),
    ]

"""Count the activities that are there by type, once: from now on they are counted as they come."""

from django.db import migrations

COUNT = """
    INSERT INTO leadscoring_activitytype AS known (name, label, came_before, came_last_at)
    SELECT type, '', count(*), max(received_at) FROM (
        SELECT type, received_at FROM leadscoring_activity
        UNION ALL SELECT type, received_at FROM leadscoring_waitingactivity
    ) AS came GROUP BY type
    ON CONFLICT (name) DO UPDATE
    SET came_before = EXCLUDED.came_before, came_last_at = EXCLUDED.came_last_at
"""
BACK = "DELETE FROM leadscoring_activitytype WHERE label = ''"


class Migration(migrations.Migration):
    dependencies = [("leadscoring", "0019_type_counts")]

    operations = [migrations.RunSQL(COUNT, BACK)]

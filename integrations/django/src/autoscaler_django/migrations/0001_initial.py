"""The table of the measurement view, with its one row."""

from typing import Any

from django.db import migrations, models


def write(apps: Any, schema_editor: Any) -> None:
    beat = apps.get_model("autoscaler_django", "Beat")
    beat.objects.using(schema_editor.connection.alias).create(number=1)


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Beat",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.IntegerField()),
            ],
        ),
        migrations.RunPython(write, migrations.RunPython.noop),
    ]

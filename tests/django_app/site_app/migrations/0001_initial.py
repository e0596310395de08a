from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel("Beat", [("id", models.AutoField(primary_key=True)), ("number", models.IntegerField())]),
    ]

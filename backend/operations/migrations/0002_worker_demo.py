from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_initial")]

    operations = [
        migrations.AddField("worker", "demo", models.BooleanField(default=False, verbose_name="demo weights")),
    ]

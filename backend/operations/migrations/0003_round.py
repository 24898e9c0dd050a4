from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0002_worker_demo")]

    operations = [
        migrations.CreateModel(
            name="Round",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("ended_at", models.DateTimeField()),
                ("seconds", models.FloatField()),
                ("rounds", models.PositiveBigIntegerField(default=0)),
                ("found", models.JSONField(default=dict)),
            ],
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0004_count"),
    ]

    operations = [
        migrations.CreateModel(
            name="InvariantCheck",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("violations", models.PositiveIntegerField()),
                ("checked_at", models.DateTimeField()),
            ],
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinics", "0002_labels")]

    operations = [
        migrations.AddField("clinic", "search_text", models.TextField(default="", db_default="", editable=False)),
    ]

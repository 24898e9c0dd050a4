from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analyses", "0005_map_quality"),
    ]

    operations = [
        migrations.AddField(
            model_name="analysis",
            name="traceparent",
            field=models.CharField(editable=False, max_length=55, null=True),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analyses", "0004_feedback"),
    ]

    operations = [
        migrations.AddField(model_name="finding", name="map", field=models.BinaryField(null=True)),
        migrations.AddField(
            model_name="analysis",
            name="brightness",
            field=models.FloatField(
                blank=True, help_text="Of the photo, 0 to 1.", null=True, verbose_name="brightness"
            ),
        ),
        migrations.AddField(
            model_name="analysis",
            name="contrast",
            field=models.FloatField(blank=True, help_text="Of the photo, 0 to 1.", null=True, verbose_name="contrast"),
        ),
        migrations.AddField(
            model_name="analysis",
            name="sharpness",
            field=models.FloatField(
                blank=True,
                help_text="Of the photo, about 1 where it is in focus.",
                null=True,
                verbose_name="sharpness",
            ),
        ),
    ]

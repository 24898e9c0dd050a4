from django.db import migrations, models


def say_why(apps, schema_editor):
    """Until now a grader abstained for one reason alone."""
    finding = apps.get_model("analyses", "Finding")
    finding.objects.using(schema_editor.connection.alias).filter(abstains=True).update(abstention="unsure")


class Migration(migrations.Migration):
    dependencies = [
        ("analyses", "0006_traceparent"),
    ]

    operations = [
        migrations.AddField(
            model_name="finding",
            name="abstention",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unsure", "not sure enough"),
                    ("unfamiliar", "photo unlike those it was calibrated on"),
                    ("unproven", "not confirmed by real photos"),
                ],
                db_default="",
                default="",
                max_length=12,
                verbose_name="why it is not rated",
            ),
        ),
        migrations.RunPython(say_why, migrations.RunPython.noop, elidable=True),
    ]

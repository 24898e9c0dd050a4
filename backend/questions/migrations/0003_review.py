from django.db import migrations, models


class Migration(migrations.Migration):
    """What was called a review was the day of the last edit; reviews get columns of their own, empty until there is one.

    The day stays in its column, which processes of the former version still read and write.
    """

    dependencies = [
        ("questions", "0002_texts"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("entry", "reviewed", "edited_on"),
                migrations.AlterField(
                    "entry",
                    "edited_on",
                    models.DateField("last edited on", blank=True, null=True, db_column="reviewed"),
                ),
            ],
        ),
        migrations.AddField(
            model_name="entry",
            name="reviewed_by_role",
            field=models.CharField(
                blank=True,
                choices=[("dermatologist", "dermatologist"), ("doctor", "doctor"), ("pharmacist", "pharmacist")],
                db_default="",
                default="",
                max_length=16,
                verbose_name="reviewed by",
            ),
        ),
        migrations.AddField(
            model_name="entry",
            name="reviewed_on",
            field=models.DateField(blank=True, null=True, verbose_name="reviewed on"),
        ),
        migrations.AlterField(
            model_name="entry",
            name="topic",
            field=models.CharField(
                choices=[
                    ("signs", "Signs"),
                    ("care", "Care"),
                    ("photos", "Photos"),
                    ("service", "The service"),
                    ("data", "Data"),
                    ("doctor", "The doctor"),
                    ("illness", "Illnesses"),
                    ("decoys", "Not answered"),
                    ("flags", "Can’t wait"),
                ],
                max_length=8,
                verbose_name="topic",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reviewed_by_role", ""), ("reviewed_on", None)),
                    models.Q(("reviewed_on__isnull", False), models.Q(("reviewed_by_role", ""), _negated=True)),
                    _connector="OR",
                ),
                name="questions_entry_review_has_role",
                violation_error_message="A review needs both a date and the role of the reviewer.",
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    """Two fields have new names and their old columns, which processes of the former version still read and write."""

    dependencies = [
        ("analyses", "0007_finding_abstention"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("analysis", "rung_at", "notified_at"),
                migrations.AlterField(
                    "analysis",
                    "notified_at",
                    models.DateTimeField("workers notified", null=True, blank=True, db_column="rung_at"),
                ),
                migrations.RenameField("analysis", "tries_from", "attempts_before"),
                migrations.AlterField(
                    "analysis",
                    "attempts_before",
                    models.PositiveIntegerField(default=0, editable=False, db_column="tries_from"),
                ),
            ],
        ),
    ]

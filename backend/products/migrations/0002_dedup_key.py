"""`Spent` is called `DedupKey`. The table keeps its name: processes of the former version still use it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("products", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel(old_name="Spent", new_name="DedupKey"),
                migrations.AlterModelTable("DedupKey", "products_spent"),
            ]
        )
    ]

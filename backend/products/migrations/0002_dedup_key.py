from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("products", "0001_initial")]

    operations = [migrations.RenameModel(old_name="Spent", new_name="DedupKey")]

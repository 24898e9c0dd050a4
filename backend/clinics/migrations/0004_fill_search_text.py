"""Fills the new column in small transactions, so that the pages of clinics go on meanwhile."""

from typing import Any

from django.db import migrations

from backend.clinics.search_text import search_text

BATCH_SIZE = 500


def fill(apps: Any, schema_editor: Any) -> None:
    table = apps.get_model("clinics", "Clinic").objects.using(schema_editor.connection.alias)
    last = 0
    while batch := list(table.filter(pk__gt=last).order_by("pk")[:BATCH_SIZE]):
        for clinic in batch:
            clinic.search_text = search_text(clinic.name, clinic.province, clinic.district, clinic.address)
        table.bulk_update(batch, ["search_text"])
        last = batch[-1].pk


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("clinics", "0003_search_text")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from backend.operations.spreadsheets import FileUnreadable
from backend.products.services.importing import products_import


class Command(BaseCommand):
    help = (
        "Import products from a csv or xlsx file with the columns key, name, kind, link, types, symptoms and "
        "optionally name_en, maker, ingredients, ingredients_en, avoid, avoid_en, avoid_types, avoid_symptoms, closed. "
        "Reports by line what was added, changed, closed and skipped, and why, and can be repeated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="close products that are not in the file")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = products_import(options["file"], replace_all=options["replace"])
        except (FileUnreadable, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(report))

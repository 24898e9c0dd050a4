from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from backend.clinics.services.importing import clinics_import
from backend.operations.spreadsheets import FileUnreadable


class Command(BaseCommand):
    help = (
        "Take over the clinics of a list, xlsx or csv: of HIRA (병원정보서비스), a licence list of LOCALDATA, or one "
        "with the columns name, latitude, longitude and perhaps key, kind, province, district, address, phone, "
        "website, specialists. It says what it mended, merged and skipped, and can run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--departments",
            type=Path,
            metavar="FILE",
            help="HIRA's file of departments: with it, who names dermatology is taken; without it, whose name has 피부",
        )
        parser.add_argument(
            "--replace", action="store_true", help="remove what came from the same register and is not in the file"
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = clinics_import(options["file"], options["departments"], replace_all=options["replace"])
        except (FileUnreadable, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(report))

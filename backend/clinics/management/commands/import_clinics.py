from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from backend.clinics.services.importing import clinics_import
from backend.operations.spreadsheets import FileUnreadable


class Command(BaseCommand):
    help = (
        "Import clinics from an xlsx or csv file: a list of HIRA (병원정보서비스), a license list of LOCALDATA, or one "
        "with the columns name, latitude, longitude and optionally key, kind, province, district, address, phone, "
        "website, specialists. Reports what was corrected, merged and skipped, and can be repeated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--departments",
            type=Path,
            metavar="FILE",
            help="HIRA's file of departments: take clinics with dermatology; without it, those with 피부 in their name",
        )
        parser.add_argument(
            "--replace", action="store_true", help="remove clinics of the same register that are not in the file"
        )

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = clinics_import(options["file"], options["departments"], replace_all=options["replace"])
        except (FileUnreadable, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(report))

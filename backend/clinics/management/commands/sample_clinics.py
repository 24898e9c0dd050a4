from typing import Any

from django.core.management.base import BaseCommand, CommandParser, no_translations

from backend.clinics.models import Clinic
from backend.clinics.sample import sample_clinics
from backend.clinics.services.importing import clinics_write
from backend.clinics.sources import Source


class Command(BaseCommand):
    help = "Create 20,000 invented clinics, which are marked as samples everywhere; remove them with --remove."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true")
        parser.add_argument("--unless-any", action="store_true", help="do nothing if there are clinics already")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        if options["unless_any"] and Clinic.objects.exists():
            return
        clinics = () if options["remove"] else sample_clinics()
        self.stdout.write(str(clinics_write(clinics, Source.SAMPLE)))

from typing import Any

from django.core.management.base import BaseCommand, CommandParser, no_translations

from backend.products.models import Product
from backend.products.services.importing import write_samples


class Command(BaseCommand):
    help = "Create a few invented products, which are marked as samples everywhere; remove them with --remove."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true")
        parser.add_argument("--unless-any", action="store_true", help="do nothing if there are products already")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        if options["unless_any"] and Product.objects.exists():
            return
        number = write_samples(remove=options["remove"])
        self.stdout.write(f"There are {number} invented products.")

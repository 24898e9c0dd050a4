from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.operations.selectors import worker_is_fresh


class Command(BaseCommand):
    help = (
        "Exit 0 if the worker of this node name took a heartbeat just now, a model worker one with all seven models; "
        "for health checks of containers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="node name, such as model@host")

    def handle(self, *args: Any, **options: Any) -> None:
        if not worker_is_fresh(options["name"]):
            raise CommandError(f"No fresh heartbeat of {options['name']}.")

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.operations.selectors import worker_is_fresh


class Command(BaseCommand):
    help = (
        "Exit with 0 if the worker of this node name has a fresh heartbeat and, for a model worker, all seven models. "
        "For container health checks."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="node name, such as model@host")

    def handle(self, *args: Any, **options: Any) -> None:
        if not worker_is_fresh(options["name"]):
            raise CommandError(f"{options['name']} has no fresh heartbeat.")

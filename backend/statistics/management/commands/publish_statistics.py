from typing import Any

from django.core.management.base import BaseCommand

from backend.statistics.services.publishing import statistics_publish


class Command(BaseCommand):
    help = "Count all results for the statistics now instead of at the next daily run."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{statistics_publish(now=True)} results counted")

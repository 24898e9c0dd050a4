from typing import Any

from django.core.management.base import BaseCommand

from backend.questions.services.loading import entries_load


class Command(BaseCommand):
    help = "Load the reviewed questions and answers of this version; what admins edited stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(str(entries_load()))

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backend.questions.models import EntryText
from backend.questions.services.embeddings import write_embeddings
from backend.questions.services.loading import entries_load


class Command(BaseCommand):
    help = "Load the questions and answers of this version; texts that admins have edited are kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--write-meanings", action="store_true", help="write the embeddings of changed texts to the file"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(str(entries_load()))
        if options["write_meanings"]:
            written = write_embeddings(EntryText.objects.values_list("text", flat=True))
            self.stdout.write(f"{written} embeddings written")

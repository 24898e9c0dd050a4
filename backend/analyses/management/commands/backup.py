from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.analyses.services.restoring import erased_ids
from backend.operations.backup import BackupFailed, database_dump


class Command(BaseCommand):
    help = (
        "Write the database to a new file while the service runs. Photos are not included: they are deleted after the "
        "retention period, and an erased one must not come back. deploy/operating.md describes how to restore."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a new file, or with --erasures any file")
        parser.add_argument(
            "--erasures",
            action="store_true",
            help="write only the ids of erased analyses, one per line; fast enough to run every few minutes",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        if options["erasures"]:
            draft = file.with_name(f".{file.name}.part")
            draft.write_text("".join(f"{analysis_id}\n" for analysis_id in sorted(erased_ids())))
            draft.replace(file)
            return
        try:
            database_dump(file)
        except BackupFailed as error:
            raise CommandError(str(error)) from error

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from backend.analyses.services.restoring import analyses_reconcile, erased_ids
from backend.operations.backup import BackupFailed, database_load
from backend.operations.selectors import fresh_worker_names

UUID_PATTERN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Command(BaseCommand):
    help = (
        "Replace the database by a backup, migrate it, and erase again the analyses that were erased since: those that "
        "the present database knows, if there is one, and those in the files given with --erased. "
        "Stop all parts of the service except the database first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="a file written by the backup command")
        parser.add_argument(
            "--loaded",
            action="store_true",
            help="the database is already restored (by pg_restore or from a snapshot): only do the remaining steps",
        )
        parser.add_argument(
            "--erased",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a file of ids, one per line, or service logs that contain `analysis_erased` events",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path | None = options["file"]
        if (file is None) != options["loaded"]:
            raise CommandError("Give either a backup file or --loaded.")
        try:
            erased = {analysis_id for given in options["erased"] for analysis_id in erased_in(given)}
            if file is not None:
                _refuse_while_running()
                erased |= erased_ids()
                database_load(file)
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        call_command("migrate", interactive=False, verbosity=0)
        restored = analyses_reconcile(erased)
        self.stdout.write(
            f"Restored. Erased again: {restored.erased}. Queued: {restored.waiting}. Missing photos: "
            f"{restored.photos_missing}, so that {restored.failed} analyses failed. Staff have to log in again."
        )


def erased_in(file: Path) -> set[UUID]:
    """The ids of erased analyses in a list of ids or in logs of the service. Raises OSError."""
    found = set()
    with file.open(errors="replace") as lines:
        for line in map(str.strip, lines):
            if UUID_PATTERN.fullmatch(line):
                found.add(UUID(line))
            elif '"analysis_erased"' in line and (match := UUID_PATTERN.search(_erased_analysis(line))):
                found.add(UUID(match[0]))
    return found


def _erased_analysis(line: str) -> str:
    """The analysis id in a log line with an erasure; log collectors may have put a prefix before the JSON."""
    try:
        event = json.loads(line[line.index("{") :])
    except ValueError:
        return ""
    return str(event.get("analysis", "")) if event.get("event") == "analysis_erased" else ""


def _refuse_while_running() -> None:
    try:
        running = fresh_worker_names()
    except DatabaseError:
        return  # There is no database yet.
    if running:
        names = ", ".join(sorted(running))
        raise CommandError(f"Workers are still running: {names}. Stop web, workers and schedule, and try again.")

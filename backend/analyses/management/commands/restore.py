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
        "Put the database of a backup in the place of the present one, migrate it, and erase again what was erased "
        "since: as the present database knows it, if there is one, and as the files given with --erased know it. "
        "Every part of the service but the database has to be stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="what the command backup wrote")
        parser.add_argument(
            "--loaded",
            action="store_true",
            help="the database is in place already (pg_restore by hand, a snapshot): do only what comes after",
        )
        parser.add_argument(
            "--erased",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="ids, one a line, or the service's logs, of which the lines of erasures count",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path | None = options["file"]
        if (file is None) != options["loaded"]:
            raise CommandError("Name either the file of a backup or --loaded.")
        try:
            erased = {analysis_id for given in options["erased"] for analysis_id in erased_in(given)}
            if file is not None:
                _refuse_while_it_runs()
                erased |= erased_ids()
                database_load(file)
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        call_command("migrate", interactive=False, verbosity=0)
        restored = analyses_reconcile(erased)
        self.stdout.write(
            f"Restored. Erased again: {restored.erased}. Waiting: {restored.waiting}. Photos that are not there: "
            f"{restored.photos_missing}, for want of which {restored.failed} failed. Everybody has to log in anew."
        )


def erased_in(file: Path) -> set[UUID]:
    """The ids of erased analyses in a list of ids or in lines of our logs. Raises OSError."""
    found = set()
    with file.open(errors="replace") as lines:
        for line in map(str.strip, lines):
            if UUID_PATTERN.fullmatch(line):
                found.add(UUID(line))
            elif '"analysis_erased"' in line and (told := UUID_PATTERN.search(_analysis(line))):
                found.add(UUID(told[0]))
    return found


def _analysis(line: str) -> str:
    """What a line of the log says of which analysis; whoever gathered the logs may have put words before it."""
    try:
        told = json.loads(line[line.index("{") :])
    except ValueError:
        return ""
    return str(told.get("analysis", "")) if told.get("event") == "analysis_erased" else ""


def _refuse_while_it_runs() -> None:
    try:
        heard = fresh_worker_names()
    except DatabaseError:
        return  # There is no database to speak of.
    if heard:
        names = ", ".join(sorted(heard))
        raise CommandError(f"Workers were heard of just now: {names}. Stop web, workers and schedule, and try again.")

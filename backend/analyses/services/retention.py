"""Delete photos and their maps after the retention period, and files without a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from backend.analyses.models import Analysis, Finding
from backend.analyses.services.transition import analysis_move
from backend.analyses.states import ENDED, Status

log = structlog.get_logger(__name__)

#: A file of this age without a row was left by a process that died between storing and committing.
ORPHAN_AGE = timedelta(hours=1)
#: File names that are compared with the rows at a time.
BATCH_SIZE = 500


@dataclass(frozen=True)
class Purged:
    """How many analyses expired in the queue, how many photos were deleted, how many files had no row."""

    expired: int
    photos: int
    orphans: int


def photos_purge(*, orphans: bool = True) -> Purged:
    """One run of the purge. Any number of runs may overlap; a running analysis keeps its photo until it ends.

    With `orphans` it also deletes files without a row, for which it lists all files.
    """
    now = timezone.now()
    expired = sum(
        analysis_move(analysis_id, Status.EXPIRED, code="waited_too_long", finished_at=now)
        for analysis_id in Analysis.objects.filter(status=Status.QUEUED, purge_at__lte=now).values_list("id", flat=True)
    )
    photos = 0
    due = Analysis.objects.filter(status__in=ENDED, purge_at__lte=now).exclude(photo="")
    for analysis_id, name in due.values_list("id", "photo"):
        # The row is updated first: a crash in between leaves an orphan, which the sweep finds.
        with transaction.atomic():
            purged = Analysis.objects.filter(pk=analysis_id, photo=name, status__in=ENDED).update(photo="")
            if purged:
                Finding.objects.filter(analysis_id=analysis_id).update(map=None)
        if purged:
            default_storage.delete(name)
            photos += 1
            log.info("photo_purged", analysis=str(analysis_id))
    return Purged(expired, photos, _sweep_orphans() if orphans else 0)


def write_ahead_log_wipe() -> bool:
    """Remove deleted rows from SQLite's write-ahead log; False if a reader prevents it.

    The database file contains nothing of them (`secure_delete`), but the log keeps old pages until it is overwritten.
    PostgreSQL overwrites by itself over time: by vacuum, new rows and new log.
    """
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        # Writers wait while this waits for readers, so it gives up soon: the next run tries again.
        cursor.execute("PRAGMA busy_timeout = 200")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _pages, _moved = cursor.fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {1000 * settings.DATABASES['default']['OPTIONS']['timeout']}")
    return not busy


def _sweep_orphans() -> int:
    swept = 0
    old = stored_before(timezone.now() - ORPHAN_AGE)
    while names := set(islice(old, BATCH_SIZE)):
        # Read after listing the files: a file that is old enough has its row by now.
        named = Analysis.objects.filter(photo__in=names).values_list("photo", flat=True)
        for name in names.difference(named):
            default_storage.delete(name)
            swept += 1
    if swept:
        log.warning("orphan_files_deleted", files=swept)
    return swept


def stored_before(moment: datetime) -> Iterator[str]:
    """The names of files last written before `moment`. A bucket lists names together with times."""
    if hasattr(default_storage, "names_before"):
        yield from default_storage.names_before(moment)
        return
    with suppress(FileNotFoundError):
        for name in default_storage.listdir("")[1]:
            with suppress(FileNotFoundError):
                if default_storage.get_modified_time(name) < moment:
                    yield name

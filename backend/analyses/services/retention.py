"""Forget: photos and the maps of them go after the retention period, and files that no row names go as well."""

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

#: A file this old without a row was left by a process that died between storing and committing.
ORPHAN_AGE = timedelta(hours=1)
#: So many names are held against the rows at a time, however many files there are.
BATCH_SIZE = 500


@dataclass(frozen=True)
class Purged:
    """How many waited too long, how many photos were deleted, how many files had no row."""

    expired: int
    photos: int
    orphans: int


def photos_purge(*, orphans: bool = True) -> Purged:
    """One round of the purge. Safe beside any number of others; an analysis that runs keeps its photo until its end.

    `orphans` says whether to look for files without a row as well, for which all files are listed.
    """
    now = timezone.now()
    expired = sum(
        analysis_move(analysis_id, Status.EXPIRED, code="waited_too_long", finished_at=now)
        for analysis_id in Analysis.objects.filter(status=Status.QUEUED, purge_at__lte=now).values_list("id", flat=True)
    )
    photos = 0
    due = Analysis.objects.filter(status__in=ENDED, purge_at__lte=now).exclude(photo="")
    for analysis_id, name in due.values_list("id", "photo"):
        # The row lets go first: a crash in between leaves an orphan, which the sweep below finds.
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
    """Wipe what SQLite's write-ahead log still holds of rows that were deleted; False if somebody reads it just now.

    The database file itself holds nothing of them (`secure_delete`), but the log keeps earlier pages until it is
    written over. Nothing to do on PostgreSQL, which overwrites in its own time: by vacuum, and by new rows and log.
    """
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        # Writers wait while this waits for readers, so it does not wait for long: there is a next round.
        cursor.execute("PRAGMA busy_timeout = 200")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _pages, _moved = cursor.fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {1000 * settings.DATABASES['default']['OPTIONS']['timeout']}")
    return not busy


def _sweep_orphans() -> int:
    swept = 0
    old = _names_before(timezone.now() - ORPHAN_AGE)
    while names := set(islice(old, BATCH_SIZE)):
        # Read after the files were listed: whatever of them is old enough and has a row is in here.
        named = Analysis.objects.filter(photo__in=names).values_list("photo", flat=True)
        for name in names.difference(named):
            default_storage.delete(name)
            swept += 1
    if swept:
        log.warning("orphan_files_deleted", files=swept)
    return swept


def _names_before(moment: datetime) -> Iterator[str]:
    """The names of the files that were last written before `moment`. A bucket tells the times along with the names."""
    if hasattr(default_storage, "names_before"):
        yield from default_storage.names_before(moment)
        return
    with suppress(FileNotFoundError):
        for name in default_storage.listdir("")[1]:
            with suppress(FileNotFoundError):
                if default_storage.get_modified_time(name) < moment:
                    yield name

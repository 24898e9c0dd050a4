"""Forget: photos and the maps of them go after the retention period, and files that no row names go as well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

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


@dataclass(frozen=True)
class Purged:
    """How many waited too long, how many photos were deleted, how many files had no row."""

    expired: int
    photos: int
    orphans: int


def photos_purge() -> Purged:
    """One round of the purge. Safe beside any number of others; an analysis that runs keeps its photo until its end."""
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
    return Purged(expired, photos, _sweep_orphans())


def traces_wipe() -> bool:
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
    try:
        _folders, names = default_storage.listdir("")
    except FileNotFoundError:
        return 0
    # Read after the files were listed: whatever of them is old enough and has a row is in here.
    named = set(Analysis.objects.exclude(photo="").values_list("photo", flat=True))
    swept = 0
    for name in set(names) - named:
        try:
            if timezone.now() - default_storage.get_modified_time(name) < ORPHAN_AGE:
                continue
        except FileNotFoundError:
            continue
        default_storage.delete(name)
        swept += 1
    if swept:
        log.warning("orphans_swept", files=swept)
    return swept

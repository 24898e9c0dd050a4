"""After a backup was loaded: reconcile its rows with what has happened since.

A backup has no photos and is older than the storage. So analyses that were erased since are erased again, links and
logins end as they may have been revoked since, and analyses whose photo is gone fail with a reason for their owner.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.db.models import F, Q

from backend.analyses.models import Analysis, Erasure, Finding, Share
from backend.analyses.services.attempt import analysis_claim, analysis_fail
from backend.analyses.services.control import analysis_erase
from backend.analyses.services.transition import analysis_requeue
from backend.analyses.states import WAITING, Status
from backend.operations.services import delete_all_workers

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Restored:
    """How many analyses were erased again, are queued, failed without their photo, and how many photos are missing."""

    erased: int
    waiting: int
    failed: int
    photos_missing: int


def erased_ids() -> frozenset[UUID]:
    """The ids of erased analyses in the present database; none if it has no such table (yet)."""
    try:
        with transaction.atomic():
            return frozenset(Erasure.objects.values_list("id", flat=True))
    except DatabaseError:
        return frozenset()


def analyses_reconcile(erased: Collection[UUID]) -> Restored:
    """Reconcile the rows of a backup with the present, while no part of the service runs.

    `erased` are the known ids of analyses that were erased since the backup.
    """
    again = _erase_again(frozenset(erased) - erased_ids())
    Share.objects.all().delete()
    Session.objects.all().delete()
    delete_all_workers()
    for analysis_id in Analysis.objects.filter(status=Status.RUNNING).values_list("id", flat=True):
        # The photo was not the cause, so the attempt does not count.
        analysis_requeue(analysis_id, only=Q(status=Status.RUNNING), attempts_before=F("attempts_before") + 1)
    failed, missing = _handle_missing_photos()
    # The broker may not have messages for these: the next run of the reaper sends them.
    waiting = Analysis.objects.filter(status=Status.QUEUED).update(notified_at=None)
    restored = Restored(again, waiting, failed, missing)
    log.info("backup_restored", erased=again, waiting=waiting, failed=failed, photos_missing=missing)
    return restored


def _erase_again(erased: Collection[UUID]) -> int:
    existing = set(Analysis.objects.filter(pk__in=erased).values_list("id", flat=True))
    for analysis_id in existing:
        analysis_erase(analysis_id)
    # Analyses that were created and erased since the backup: their addresses still answer 410.
    Erasure.objects.bulk_create(
        [Erasure(pk=analysis_id) for analysis_id in set(erased) - existing], ignore_conflicts=True
    )
    return len(existing)


def _handle_missing_photos() -> tuple[int, int]:
    try:
        stored = set(default_storage.listdir("")[1])
    except FileNotFoundError:
        stored = set()
    failed = missing = 0
    for analysis_id, name, status in Analysis.objects.exclude(photo="").values_list("id", "photo", "status"):
        if name in stored:
            continue
        if status in WAITING and (claim := analysis_claim(analysis_id, worker="restore")):
            failed += analysis_fail(claim, "photo_unreadable")
        with transaction.atomic():
            missing += Analysis.objects.filter(pk=analysis_id, photo=name).update(photo="")
            Finding.objects.filter(analysis_id=analysis_id).update(map=None)
    return failed, missing

"""After a backup was loaded: what the backup does not know of, and what must not come back with it.

A backup has no photos, and it is older than the storage beside it. So what was erased since is erased again, links
and logins that may have ended since end, and what waited for a photo that is not there any more says so to its owner.
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
    """How many were erased again, wait again, ended for want of their photo, and how many photos are not there."""

    erased: int
    waiting: int
    failed: int
    photos_missing: int


def erased_ids() -> frozenset[UUID]:
    """The tombstones of the present database; none where there is no such table (yet)."""
    try:
        with transaction.atomic():
            return frozenset(Erasure.objects.values_list("id", flat=True))
    except DatabaseError:
        return frozenset()


def analyses_reconcile(erased: Collection[UUID]) -> Restored:
    """Bring the rows of a backup into accord with today; no part of the service runs meanwhile.

    `erased` are the ids that were erased since the backup, as far as they are known.
    """
    again = _erase_again(frozenset(erased) - erased_ids())
    Share.objects.all().delete()
    Session.objects.all().delete()
    delete_all_workers()
    for analysis_id in Analysis.objects.filter(status=Status.RUNNING).values_list("id", flat=True):
        # It was no fault of the photo's: the attempt does not count.
        analysis_requeue(analysis_id, only=Q(status=Status.RUNNING), tries_from=F("tries_from") + 1)
    failed, missing = _let_go_of_missing_photos()
    # The broker may not have messages for these: the next run of the reaper sends them.
    waiting = Analysis.objects.filter(status=Status.QUEUED).update(rung_at=None)
    restored = Restored(again, waiting, failed, missing)
    log.info("backup_restored", erased=again, waiting=waiting, failed=failed, photos_missing=missing)
    return restored


def _erase_again(erased: Collection[UUID]) -> int:
    there = set(Analysis.objects.filter(pk__in=erased).values_list("id", flat=True))
    for analysis_id in there:
        analysis_erase(analysis_id)
    # Those that came and went since the backup: their addresses go on to say so.
    Erasure.objects.bulk_create([Erasure(pk=analysis_id) for analysis_id in set(erased) - there], ignore_conflicts=True)
    return len(there)


def _let_go_of_missing_photos() -> tuple[int, int]:
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

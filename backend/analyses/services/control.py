"""Actions for the owner of an analysis: cancel, try again, erase."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import structlog
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from backend.analyses.counters import QUEUE_FULL
from backend.analyses.errors import NotCancelable, NotRetryable, PhotoGone, QueueStillFull
from backend.analyses.models import Analysis, Erasure, Human
from backend.analyses.selectors.queue import queue_outlook
from backend.analyses.selectors.status import analysis_missing
from backend.analyses.services.enqueueing import analysis_enqueue
from backend.analyses.services.transition import analysis_move, publish_analysis_change
from backend.analyses.states import Status
from backend.operations.tracing import traceparent

log = structlog.get_logger(__name__)


def analysis_cancel(analysis_id: UUID) -> None:
    """Cancel an analysis that has not ended; a running one stops between two models. Canceling twice is not an error.

    Raises NotCancelable, AnalysisUnknown or AnalysisErased.
    """
    if analysis_move(analysis_id, Status.CANCELED, finished_at=timezone.now(), lease_until=None):
        log.info("analysis_canceled", analysis=str(analysis_id))
        return
    if _status(analysis_id) != Status.CANCELED:
        raise NotCancelable


def analysis_retry(analysis_id: UUID) -> None:
    """Queue a failed or canceled analysis again, at the end of the queue, with a new set of attempts.

    Raises NotRetryable, PhotoGone, QueueStillFull, AnalysisUnknown or AnalysisErased.
    """
    now = timezone.now()
    retryable = Q(status__in=[Status.FAILED, Status.CANCELED]) & ~Q(photo="") & Q(purge_at__gt=now)
    outlook = queue_outlook()
    if not outlook.accepting and Analysis.objects.filter(retryable, pk=analysis_id).exists():
        QUEUE_FULL.inc()
        raise QueueStillFull(outlook.retry_after)
    moved = analysis_move(
        analysis_id,
        Status.QUEUED,
        only=retryable,
        attempts_before=F("attempt"),
        queued_at=now,
        notified_at=None,
        started_at=None,
        finished_at=None,
        worker="",
        code="",
        models_done=0,
        traceparent=traceparent(),
    )
    if moved:
        log.info("analysis_retried", analysis=str(analysis_id))
        transaction.on_commit(lambda: analysis_enqueue(analysis_id), robust=True)
        return
    if _status(analysis_id) in {Status.FAILED, Status.CANCELED}:
        raise PhotoGone
    raise NotRetryable


def analysis_erase(analysis_id: UUID) -> None:
    """Erase photo, answers, findings and `Human` at once; its address then answers 410.

    Raises AnalysisUnknown or AnalysisErased. A worker that is processing it can no longer write anything.
    """
    with transaction.atomic():
        # The UPDATE comes first: it waits for a worker that is finishing, so that the read below sees the `Human` of
        # that success, and a later finish waits for this transaction and then finds no row.
        if not Analysis.objects.filter(pk=analysis_id).update(lease_until=None):
            raise analysis_missing(analysis_id)
        row = Analysis.objects.only("photo", "human_id").get(pk=analysis_id)
        Erasure.objects.create(pk=analysis_id)
        Analysis.objects.filter(pk=analysis_id).delete()
        if row.human_id is not None:
            Human.objects.filter(pk=row.human_id).delete()
        if row.photo:
            transaction.on_commit(partial(default_storage.delete, row.photo))
        publish_analysis_change(analysis_id)
    log.info("analysis_erased", analysis=str(analysis_id))


def _status(analysis_id: UUID) -> str:
    status = Analysis.objects.filter(pk=analysis_id).values_list("status", flat=True).first()
    if status is None:
        raise analysis_missing(analysis_id)
    return status

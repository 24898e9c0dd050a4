"""Send a queued analysis to the workers, and record when."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Now

from backend.analyses.counters import ENQUEUED
from backend.analyses.models import Analysis
from backend.analyses.states import Status
from backend.analyses.task_queue import enqueue


def analysis_enqueue(analysis_id: UUID, *, traceparent: str | None = None) -> bool:
    """Send a message for a queued analysis. A failure is not recorded in the row, so the reaper sends it again.

    `traceparent` is the trace of the request that this is done for, if it is not the current one.
    """
    if not enqueue(analysis_id, traceparent=traceparent):
        ENQUEUED.labels("failed").inc()
        return False
    ENQUEUED.labels("sent").inc()
    Analysis.objects.filter(pk=analysis_id, status=Status.QUEUED).update(notified_at=Now())
    return True

"""Ring for a queued row and note when."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Now

from backend.analyses.counters import ENQUEUED
from backend.analyses.doorbell import bell_ring
from backend.analyses.models import Analysis
from backend.analyses.states import Status


def analysis_ring(analysis_id: UUID, *, traceparent: str | None = None) -> bool:
    """Tell the workers of a queued analysis. A ring that reached nobody is not noted, so the reaper repeats it.

    Whoever rings for another's request names the trace of that.
    """
    if not bell_ring(analysis_id, traceparent=traceparent):
        ENQUEUED.labels("failed").inc()
        return False
    ENQUEUED.labels("sent").inc()
    Analysis.objects.filter(pk=analysis_id, status=Status.QUEUED).update(rung_at=Now())
    return True

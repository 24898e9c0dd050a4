"""The one function that moves an analysis from state to state."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from backend.analyses import counters
from backend.analyses.models import Analysis
from backend.analyses.states import ENDED, Status, sources
from backend.operations.pubsub import publish_change


def analysis_move(analysis_id: UUID, to: Status, *, only: Q | None = None, **changes: Any) -> bool:
    """Move one analysis to `to` if the table of transitions allows it and `only` holds; returns whether it moved.

    A single guarded UPDATE: if several processes try the same move, it succeeds in one of them. `changes` are further
    columns to write.
    """
    rows = Analysis.objects.filter(only or Q(), pk=analysis_id, status__in=sources(to))
    moved = rows.update(status=to, **changes) == 1
    if moved:
        publish_analysis_change(analysis_id)
        if to in ENDED:
            transaction.on_commit(counters.ENDED.labels(to, changes.get("code", "")).inc, robust=True)
    return moved


def publish_analysis_change(analysis_id: UUID) -> None:
    """Notify waiting requests that this analysis has changed, once the transaction is committed."""
    transaction.on_commit(partial(publish_change, str(analysis_id)), robust=True)


def analysis_requeue(analysis_id: UUID, *, only: Q, **changes: Any) -> bool:
    """Return a running analysis to its place in the queue, without a worker and without a message."""
    return analysis_move(
        analysis_id,
        Status.QUEUED,
        only=only,
        lease_until=None,
        worker="",
        models_done=0,
        notified_at=None,
        **changes,
    )

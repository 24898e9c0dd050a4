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
    """Move one analysis to `to` where the table of transitions allows it and `only` holds.

    A single guarded UPDATE: of any number of processes that try the same move at once, one is told True.
    `changes` are further columns that are written with the move.
    """
    rows = Analysis.objects.filter(only or Q(), pk=analysis_id, status__in=sources(to))
    moved = rows.update(status=to, **changes) == 1
    if moved:
        analysis_news(analysis_id)
        if to in ENDED:
            transaction.on_commit(counters.ENDED.labels(to, changes.get("code", "")).inc, robust=True)
    return moved


def analysis_news(analysis_id: UUID) -> None:
    """Let those who wait for this analysis know that it has changed, once that is committed."""
    transaction.on_commit(partial(publish_change, str(analysis_id)), robust=True)


def analysis_requeue(analysis_id: UUID, *, only: Q, **changes: Any) -> bool:
    """Put a running analysis back into its place in the line, belonging to nobody and not rung for."""
    return analysis_move(
        analysis_id,
        Status.QUEUED,
        only=only,
        lease_until=None,
        worker="",
        models_done=0,
        rung_at=None,
        **changes,
    )

"""The one function that moves an analysis from state to state."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q

from backend.analyses.models import Analysis
from backend.analyses.states import Status, sources


def analysis_move(analysis_id: UUID, to: Status, *, only: Q | None = None, **changes: Any) -> bool:
    """Move one analysis to `to` where the table of transitions allows it and `only` holds.

    A single guarded UPDATE: of any number of processes that try the same move at once, one is told True.
    `changes` are further columns that are written with the move.
    """
    rows = Analysis.objects.filter(only or Q(), pk=analysis_id, status__in=sources(to))
    return rows.update(status=to, **changes) == 1


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

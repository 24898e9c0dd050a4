"""Everything that is stored about an analysis."""

from __future__ import annotations

from uuid import UUID

from backend.analyses.models import Analysis
from backend.analyses.selectors.status import analysis_missing


def analysis_for_export(analysis_id: UUID) -> Analysis:
    """The row with human, findings, feedback and share. Raises AnalysisUnknown or AnalysisErased."""
    rows = Analysis.objects.select_related("human", "share").prefetch_related("findings", "feedback")
    row = rows.filter(pk=analysis_id).first()
    if row is None:
        raise analysis_missing(analysis_id)
    return row

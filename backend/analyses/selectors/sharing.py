"""Links to reports and the reports they show."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from backend.analyses.errors import ShareEnded
from backend.analyses.models import Share
from backend.analyses.selectors.status import AnalysisStatus, analysis_status


def share_of(analysis_id: UUID) -> Share | None:
    """The valid link to this report."""
    return Share.objects.filter(analysis_id=analysis_id, expires_at__gt=timezone.now()).first()


def shared_analysis(share_id: UUID) -> tuple[AnalysisStatus, Share]:
    """The analysis that this link shows. Raises ShareEnded if the link is expired or unknown."""
    share = Share.objects.filter(pk=share_id, expires_at__gt=timezone.now()).first()
    if share is None:
        raise ShareEnded
    return analysis_status(share.analysis_id), share

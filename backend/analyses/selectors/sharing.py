"""Which report a shared link shows, and which link a report has."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from backend.analyses.errors import ShareEnded
from backend.analyses.models import Share
from backend.analyses.selectors.status import AnalysisStatus, analysis_status


def share_of(analysis_id: UUID) -> Share | None:
    """The link to this report that has not ended."""
    return Share.objects.filter(analysis_id=analysis_id, expires_at__gt=timezone.now()).first()


def shared_analysis(share_id: UUID) -> tuple[AnalysisStatus, Share]:
    """The analysis that this link shows. Raises ShareEnded, also where there never was such a link."""
    share = Share.objects.filter(pk=share_id, expires_at__gt=timezone.now()).first()
    if share is None:
        raise ShareEnded
    return analysis_status(share.analysis_id), share

"""Links by which others can see a report."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from backend.analyses.models import Analysis, Share
from backend.analyses.selectors.status import analysis_missing, report_must_exist

log = structlog.get_logger(__name__)

SHARE_DAYS = 7


def share_create(analysis_id: UUID) -> Share:
    """The link to the report, created for seven days unless there is a valid one.

    Raises NoReportYet if there is no report, AnalysisUnknown or AnalysisErased.
    """
    report_must_exist(analysis_id)
    now = timezone.now()
    Share.objects.filter(analysis_id=analysis_id, expires_at__lte=now).delete()
    try:
        with transaction.atomic():
            share, _made = Share.objects.get_or_create(
                analysis_id=analysis_id, defaults={"expires_at": now + timedelta(days=SHARE_DAYS)}
            )
    except IntegrityError:
        raise analysis_missing(analysis_id) from None  # Erased since the read above.
    log.info("report_shared", analysis=str(analysis_id))
    return share


def share_end(analysis_id: UUID) -> None:
    """End the link to the report, if there is one. A later link is a different one.

    Raises AnalysisUnknown or AnalysisErased.
    """
    if Share.objects.filter(analysis_id=analysis_id).delete()[0]:
        log.info("share_ended", analysis=str(analysis_id))
    elif not Analysis.objects.filter(pk=analysis_id).exists():
        raise analysis_missing(analysis_id)


def shares_sweep() -> int:
    """Delete expired links; returns how many."""
    deleted, _by_model = Share.objects.filter(expires_at__lte=timezone.now()).delete()
    return deleted

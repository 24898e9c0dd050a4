"""The reaper: requeues abandoned analyses and resends lost messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from backend.analyses.models import Analysis
from backend.analyses.services.enqueueing import analysis_enqueue
from backend.analyses.services.transition import analysis_move, analysis_requeue
from backend.analyses.states import Status
from backend.analyses.task_queue import pending_messages
from backend.operations.database_clock import database_now

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reaped:
    """How many analyses were requeued, how many failed after their last attempt, how many messages were resent."""

    requeued: int
    failed: int
    resent: int


def analyses_reap() -> Reaped:
    """One run: expired leases first, then lost messages. Any number of runs may overlap."""
    now = database_now()
    # No lease is that long: it was given before the clock was set back, and a living worker has renewed its leases.
    before_clock_change = Q(lease_until__gt=now + timedelta(seconds=2 * settings.LEASE_SECONDS))
    expired = Analysis.objects.filter(Q(lease_until__lt=now) | before_clock_change, status=Status.RUNNING)
    requeued, failed = _reclaim_expired(expired)
    return Reaped(requeued, failed, resent=_resend_lost_messages())


def worker_leases_reclaim(worker: str) -> int:
    """Reclaim what a worker of this name held before it restarted; returns how many.

    Only one process has a node name at a time, so the leases of its predecessor need not expire first.
    """
    requeued, failed = _reclaim_expired(Analysis.objects.filter(status=Status.RUNNING, worker=worker))
    if requeued:
        _resend_lost_messages()
    return requeued + failed


def _reclaim_expired(analyses: QuerySet[Analysis]) -> tuple[int, int]:
    """Requeue these analyses, or fail those without attempts left; returns how many of each."""
    requeued = failed = 0
    for row in analyses.values("id", "attempt", "attempts_before", "lease_until"):
        unchanged = Q(status=Status.RUNNING, attempt=row["attempt"], lease_until=row["lease_until"])
        if row["attempt"] - row["attempts_before"] < settings.MAX_ATTEMPTS:
            reclaimed = analysis_requeue(row["id"], only=unchanged)
            requeued += reclaimed
        else:
            reclaimed = analysis_move(
                row["id"],
                Status.FAILED,
                only=unchanged,
                code="attempts_exhausted",
                lease_until=None,
                finished_at=timezone.now(),
            )
            failed += reclaimed
        if reclaimed:  # Not by another reaper at the same time.
            log.warning("lease_reclaimed", analysis=str(row["id"]), attempt=row["attempt"])
    return requeued, failed


def _resend_lost_messages() -> int:
    """Send messages for queued rows whose message was never sent or got lost, oldest first.

    A message that was sent counts as lost only if the broker holds fewer messages than there are undelivered rows:
    otherwise it is still waiting, and another one would only make the queue longer. If the broker cannot list what it
    has delivered, at most as many are resent as are missing.
    """
    asked_at = database_now()
    pending = pending_messages()
    if pending is None:
        return 0
    undelivered = Analysis.objects.filter(status=Status.QUEUED).exclude(pk__in=pending.delivered or ())
    lost = Q(notified_at=None)
    # A time in the future was recorded before the clock was set back.
    lost |= Q(notified_at__gt=asked_at + timedelta(seconds=settings.RESEND_SECONDS))
    # Messages sent since the broker was asked are not in its answer.
    missing = undelivered.filter(notified_at__lt=asked_at).count() - pending.waiting
    if missing > 0:
        lost |= Q(notified_at__lt=asked_at - timedelta(seconds=settings.RESEND_SECONDS))
    resent = 0
    rows = undelivered.filter(lost).order_by("queued_at", "id").values_list("id", "notified_at", "traceparent")
    for analysis_id, notified_at, traceparent in rows:
        if notified_at is not None and pending.delivered is None:
            if missing <= 0:
                continue
            missing -= 1
        if not analysis_enqueue(analysis_id, traceparent=traceparent):
            break
        log.info("analysis_resent", analysis=str(analysis_id))
        resent += 1
    return resent

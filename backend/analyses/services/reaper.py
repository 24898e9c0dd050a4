"""The reaper: what nobody works on any more goes back into the queue, and what nobody was told of is rung for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from backend.analyses.doorbell import bell_line
from backend.analyses.models import Analysis
from backend.analyses.services.ringing import analysis_ring
from backend.analyses.services.transition import analysis_move, analysis_requeue
from backend.analyses.states import Status
from backend.operations.database_clock import database_now

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reaped:
    """How many went back into the queue, failed for want of attempts, and were rung for."""

    requeued: int
    failed: int
    resent: int


def analyses_reap() -> Reaped:
    """One round: leases that lapsed first, then the rows whose bell was lost. Safe beside any number of others."""
    now = database_now()
    # No lease lasts that long: it was given before the clock was set back, and who lives has renewed it meanwhile.
    of_another_time = Q(lease_until__gt=now + timedelta(seconds=2 * settings.LEASE_SECONDS))
    lapsed = Analysis.objects.filter(Q(lease_until__lt=now) | of_another_time, status=Status.RUNNING)
    requeued, failed = _take_back(lapsed)
    return Reaped(requeued, failed, resent=_ring_unheard())


def worker_leases_lapse(worker: str) -> int:
    """Take back what a worker of this name held before it started anew; how many these were.

    One process has a node name at a time, so whatever its predecessor claimed is nobody's now: waiting for
    the leases to lapse would only waste their time.
    """
    requeued, failed = _take_back(Analysis.objects.filter(status=Status.RUNNING, worker=worker))
    if requeued:
        _ring_unheard()
    return requeued + failed


def _take_back(rows: QuerySet[Analysis]) -> tuple[int, int]:
    requeued = failed = 0
    for row in rows.values("id", "attempt", "tries_from", "lease_until"):
        same = Q(status=Status.RUNNING, attempt=row["attempt"], lease_until=row["lease_until"])
        if row["attempt"] - row["tries_from"] < settings.MAX_ATTEMPTS:
            taken = analysis_requeue(row["id"], only=same)
            requeued += taken
        else:
            taken = analysis_move(
                row["id"],
                Status.FAILED,
                only=same,
                code="attempts_exhausted",
                lease_until=None,
                finished_at=timezone.now(),
            )
            failed += taken
        if taken:  # And not another reaper was quicker.
            log.warning("lease_reclaimed", analysis=str(row["id"]), attempt=row["attempt"])
    return requeued, failed


def _ring_unheard() -> int:
    """Ring for the queued rows whose message was never sent or got lost, oldest first.

    A row that was rung is only rung again when fewer messages wait in the line than rows that nobody has taken: else
    its message is still in the line, and ringing again would only make the line longer. Where the broker does not tell
    which were taken, no more are rung again than messages are missing.
    """
    asked_at = database_now()
    line = bell_line()
    if line is None:
        return 0
    waiting = Analysis.objects.filter(status=Status.QUEUED).exclude(pk__in=line.taken or ())
    unheard = Q(rung_at=None)
    # A bell of times to come was rung before the clock was set back.
    unheard |= Q(rung_at__gt=asked_at + timedelta(seconds=settings.RING_AGAIN_SECONDS))
    # Those that are rung for meanwhile are not in what the broker said.
    missing = waiting.filter(rung_at__lt=asked_at).count() - line.waiting
    if missing > 0:
        unheard |= Q(rung_at__lt=asked_at - timedelta(seconds=settings.RING_AGAIN_SECONDS))
    resent = 0
    found = waiting.filter(unheard).order_by("queued_at", "id").values_list("id", "rung_at", "traceparent")
    for analysis_id, rung_at, traceparent in found:
        if rung_at is not None and line.taken is None:
            if missing <= 0:
                continue
            missing -= 1
        if not analysis_ring(analysis_id, traceparent=traceparent):
            break
        log.info("analysis_resent", analysis=str(analysis_id))
        resent += 1
    return resent

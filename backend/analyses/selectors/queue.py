"""The queue: how long it is, whether it accepts more, positions in it, and estimated times."""

from __future__ import annotations

import math
import threading
import time
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from backend.analyses.models import Analysis
from backend.analyses.states import Status
from backend.operations.selectors import PACE_SQL, Pace, pace_since
from ml.labels import MODEL_KEYS

#: Up to this length the queue is counted exactly; the limit of a queue is exact up to here.
EXACT_LENGTH_LIMIT = 1000
#: Up to this position each poll counts the analyses before its own (0.2 µs each); farther back the snapshot is used.
EXACT_POSITION_LIMIT = 50
MILESTONES = 2000
#: A snapshot is reused for this long, and for at least 50 times as long as it took: at most 2 % of a core.
SNAPSHOT_SECONDS, SNAPSHOT_AGE_FACTOR = 1.0, 50

#: The ORM would take ten times as long to build four such queries as one of them runs.
RUNNING_SQL = "(SELECT count(*) FROM analyses_analysis WHERE status = 'running')"
_OUTLOOK = f"""
SELECT (SELECT count(*) FROM (
           SELECT 1 FROM analyses_analysis WHERE status = 'queued' ORDER BY queued_at, id LIMIT {EXACT_LENGTH_LIMIT}
       ) AS counted),
       {RUNNING_SQL}, workers, photo_seconds
FROM {PACE_SQL} AS pace
"""  # noqa: S608 - constants only


@dataclass(frozen=True)
class QueueOutlook:
    """What a photo that is sent now can expect; `eta_seconds` is None without a worker."""

    accepting: bool
    waiting: int
    workers: int
    eta_seconds: int | None

    @property
    def retry_after(self) -> int:
        """Seconds until a retry is worthwhile when the queue is full."""
        return min(max(self.eta_seconds or 30, 5), 120)


def queue_outlook() -> QueueOutlook:
    """Counts up to `EXACT_LENGTH_LIMIT`; the length of a longer queue is at most some seconds old."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTLOOK, pace_since())
        waiting, running, workers, photo_seconds = cursor.fetchone()
    if waiting >= EXACT_LENGTH_LIMIT:
        waiting = max(waiting, queue_snapshot().waiting)
    pace = Pace(workers, photo_seconds)
    return QueueOutlook(
        accepting=waiting < settings.QUEUE_LIMIT,
        waiting=waiting,
        workers=workers,
        eta_seconds=seconds_for(waiting + running + 1, pace),
    )


def queue_position(before: int, queued_at: datetime) -> int:
    """The position, from 1, of an analysis; `before` is how many are before it, up to `EXACT_POSITION_LIMIT`."""
    exact = before + 1
    return exact if before < EXACT_POSITION_LIMIT else max(exact, queue_snapshot().position(queued_at))


def eta_waiting(position: int, running: int, pace: Pace) -> int | None:
    """Seconds until the analysis at this position has its result; None without a worker."""
    return seconds_for(position + running, pace)


def eta_running(models_done: int, running: int, pace: Pace) -> int | None:
    """Seconds until a running analysis has its result; all running ones share the workers."""
    return seconds_for(max(running, 1) * (len(MODEL_KEYS) - models_done) / len(MODEL_KEYS), pace)


def seconds_for(photos: float, pace: Pace) -> int | None:
    """Seconds that the present workers need for this many photos at their recent pace."""
    if not pace.workers or not pace.photo_seconds:
        return None
    return max(1, math.ceil(photos * pace.photo_seconds / pace.workers))


def analyses_by_status() -> dict[str, int]:
    """The number of analyses in each status, zeros included."""
    found = dict(Analysis.objects.values_list("status").annotate(n=Count("id")))
    return {status.value: found.get(status.value, 0) for status in Status}


def oldest_queued_at() -> datetime | None:
    """When the oldest analysis in the queue was queued; None if the queue is empty."""
    first = Analysis.objects.filter(status=Status.QUEUED).order_by("queued_at", "id")
    return first.values_list("queued_at", flat=True).first()


class QueueSnapshot:
    """The length of the queue a moment ago, and up to 2,000 positions in it as milestones.

    In a queue of up to 2,000 each analysis is a milestone. In a longer one, positions between two milestones are
    interpolated by the time of queueing, so they are off by less than one two-thousandth of the queue.
    """

    def __init__(self) -> None:
        started = time.monotonic()
        queued = Analysis.objects.filter(status=Status.QUEUED)
        self.waiting = queued.count()
        self._step = 1 + self.waiting // MILESTONES
        numbered = queued.annotate(position=Window(RowNumber(), order_by=["queued_at", "id"]))
        milestones = numbered.annotate(remainder=F("position") % self._step).filter(remainder=0).order_by("position")
        self._times = list(milestones.values_list("queued_at", flat=True))
        now = time.monotonic()
        self._fresh_until = now + max(SNAPSHOT_SECONDS, SNAPSHOT_AGE_FACTOR * (now - started))

    @property
    def fresh(self) -> bool:
        return time.monotonic() < self._fresh_until

    def position(self, queued_at: datetime) -> int:
        """The position, from 1, of an analysis queued at this time; behind the last one if it was queued since."""
        passed = bisect_right(self._times, queued_at)
        if passed == len(self._times):
            return self.waiting + (not passed or queued_at > self._times[-1])
        if not passed:
            return self._step
        since, until = self._times[passed - 1], self._times[passed]
        return int((passed + (queued_at - since) / (until - since)) * self._step)


_snapshot: QueueSnapshot | None = None
_snapshot_lock = threading.Lock()


def queue_snapshot() -> QueueSnapshot:
    """A snapshot that is at most some seconds old. One thread takes a new one, the others use the old one meanwhile."""
    global _snapshot
    present = _snapshot
    if present is not None and (present.fresh or not _snapshot_lock.acquire(blocking=False)):
        return present
    if present is None:
        _snapshot_lock.acquire()
    try:
        if _snapshot is present:
            _snapshot = QueueSnapshot()
        assert _snapshot is not None
        return _snapshot
    finally:
        _snapshot_lock.release()


def forget_queue_snapshot() -> None:
    """Take a new snapshot at the next call."""
    global _snapshot
    _snapshot = None

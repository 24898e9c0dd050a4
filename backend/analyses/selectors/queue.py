"""The line of waiting photos: how long it is, whether it takes more, how long it will take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Count

from backend.analyses.models import Analysis
from backend.analyses.selectors.line import NEAR, line
from backend.analyses.states import Status
from backend.operations.selectors import PACE_SQL, Pace, pace_since
from ml.labels import MODEL_KEYS

#: Up to so many are counted when somebody asks for the whole line; the limit of a queue is met exactly up to here.
COUNTED = 1000
#: What the ORM spends on putting four such queries together is ten times what one of them takes.
RUNNING_SQL = "(SELECT count(*) FROM analyses_analysis WHERE status = 'running')"
_OUTLOOK = f"""
SELECT (SELECT count(*) FROM (
           SELECT 1 FROM analyses_analysis WHERE status = 'queued' ORDER BY queued_at, id LIMIT {COUNTED}
       ) AS counted),
       {RUNNING_SQL}, workers, photo_seconds
FROM {PACE_SQL} AS pace
"""  # noqa: S608 - constants of ours


@dataclass(frozen=True)
class QueueOutlook:
    """What somebody who comes now may expect; `eta_seconds` is None while no worker is there."""

    accepting: bool
    waiting: int
    workers: int
    eta_seconds: int | None

    @property
    def retry_after(self) -> int:
        """Seconds after which it is worth asking again when the queue is full."""
        return min(max(self.eta_seconds or 30, 5), 120)


def queue_outlook() -> QueueOutlook:
    """Counts up to 1,000 that wait; a longer line is as long as it was some seconds ago at most."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTLOOK, pace_since())
        waiting, running, workers, photo_seconds = cursor.fetchone()
    if waiting >= COUNTED:
        waiting = max(waiting, line().waiting)
    pace = Pace(workers, photo_seconds)
    return QueueOutlook(
        accepting=waiting < settings.QUEUE_LIMIT,
        waiting=waiting,
        workers=workers,
        eta_seconds=seconds_for(waiting + running + 1, pace),
    )


def queue_position(before: int, queued_at: datetime) -> int:
    """The place in the line, counted from 1, of what was queued at this time with so many before it, at most `NEAR`."""
    return before + 1 if before < NEAR else max(before + 1, line().place(queued_at))


def eta_waiting(position: int, running: int, pace: Pace) -> int | None:
    """Seconds until the analysis at this place has its result; None while no worker is there."""
    return seconds_for(position + running, pace)


def eta_running(models_done: int, running: int, pace: Pace) -> int | None:
    """Seconds until a running analysis has its result; all that run now share the workers."""
    return seconds_for(max(running, 1) * (len(MODEL_KEYS) - models_done) / len(MODEL_KEYS), pace)


def seconds_for(photos: float, pace: Pace) -> int | None:
    """Seconds that the workers of now need for so many photos, from what photos lately took them."""
    if not pace.workers or not pace.photo_seconds:
        return None
    return max(1, math.ceil(photos * pace.photo_seconds / pace.workers))


def analyses_by_status() -> dict[str, int]:
    """How many analyses each status has, zeros included."""
    found = dict(Analysis.objects.values_list("status").annotate(n=Count("id")))
    return {status.value: found.get(status.value, 0) for status in Status}


def oldest_queued_at() -> datetime | None:
    """When the analysis that waits longest was queued; None if none waits."""
    first = Analysis.objects.filter(status=Status.QUEUED).order_by("queued_at", "id")
    return first.values_list("queued_at", flat=True).first()

"""The line of waiting photos: how long it is, whether it takes more, how long it will take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q

from backend.analyses.models import Analysis
from backend.analyses.states import WAITING, Status
from backend.operations.selectors import pace
from ml.labels import MODEL_KEYS


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
    waiting, running = _line_length()
    return QueueOutlook(
        accepting=waiting < settings.QUEUE_LIMIT,
        waiting=waiting,
        workers=pace().workers,
        eta_seconds=seconds_for(waiting + running + 1),
    )


def queue_position(queued_at: datetime, analysis_id: UUID) -> int:
    """The place in the line, counted from 1, of a queued analysis."""
    before = Q(queued_at__lt=queued_at) | Q(queued_at=queued_at, id__lt=analysis_id)
    return Analysis.objects.filter(before, status=Status.QUEUED).count() + 1


def eta_waiting(position: int) -> int | None:
    """Seconds until the analysis at this place has its result; None while no worker is there."""
    _waiting, running = _line_length()
    return seconds_for(position + running)


def eta_running(models_done: int) -> int | None:
    """Seconds until a running analysis has its result; all that run now share the workers."""
    _waiting, running = _line_length()
    return seconds_for(max(running, 1) * (len(MODEL_KEYS) - models_done) / len(MODEL_KEYS))


def seconds_for(photos: float) -> int | None:
    """Seconds that the workers of now need for so many photos, from what photos lately took them."""
    speed = pace()
    if not speed.workers or not speed.photo_seconds:
        return None
    return max(1, math.ceil(photos * speed.photo_seconds / speed.workers))


def _line_length() -> tuple[int, int]:
    found = Analysis.objects.filter(status__in=WAITING).aggregate(
        waiting=Count("id", filter=Q(status=Status.QUEUED)),
        running=Count("id", filter=Q(status=Status.RUNNING)),
    )
    return found["waiting"], found["running"]


def analyses_by_status() -> dict[str, int]:
    """How many analyses each status has, zeros included."""
    found = dict(Analysis.objects.values_list("status").annotate(n=Count("id")))
    return {status.value: found.get(status.value, 0) for status in Status}


def oldest_queued_at() -> datetime | None:
    """When the analysis that waits longest was queued; None if none waits."""
    first = Analysis.objects.filter(status=Status.QUEUED).order_by("queued_at", "id")
    return first.values_list("queued_at", flat=True).first()

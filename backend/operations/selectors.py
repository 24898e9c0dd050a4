"""What the workers' heartbeats say: who is there, whether we are ready, how fast we are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Avg, Count, Max, Min, QuerySet
from django.utils import timezone

from backend.operations.models import Worker
from ml.labels import MODEL_KEYS

MODEL_ROLE = "model"


@dataclass(frozen=True)
class Readiness:
    """Whether a photo sent now would be analysed; `models_resident` is the least of any ready worker."""

    ready: bool
    workers: int
    models_resident: int
    bundle: str | None


@dataclass(frozen=True)
class Pace:
    """How many model workers are there, and seconds a photo takes each of them on average (None: not known)."""

    workers: int
    photo_seconds: float | None


def _model_workers() -> QuerySet[Worker]:
    heard_since = timezone.now() - timedelta(seconds=settings.HEARTBEAT_STALE_SECONDS)
    return Worker.objects.filter(role=MODEL_ROLE, seen_at__gte=heard_since, models_resident=len(MODEL_KEYS))


def readiness() -> Readiness:
    """Ready means that a worker that holds all seven models took a heartbeat just now."""
    found = _model_workers().aggregate(n=Count("name"), least=Min("models_resident"), bundle=Max("bundle"))
    return Readiness(
        ready=found["n"] > 0, workers=found["n"], models_resident=found["least"] or 0, bundle=found["bundle"]
    )


def pace() -> Pace:
    found = _model_workers().aggregate(n=Count("name"), mean=Avg("photo_seconds"))
    return Pace(found["n"], found["mean"])


def worker_is_fresh(name: str) -> bool:
    """Whether the worker of this node name took a heartbeat just now."""
    heard_since = timezone.now() - timedelta(seconds=settings.HEARTBEAT_STALE_SECONDS)
    return Worker.objects.filter(name=name, seen_at__gte=heard_since).exists()

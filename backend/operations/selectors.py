"""What the workers' heartbeats say: who is there, and how fast we are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from backend.operations.database_clock import ago_sql
from backend.operations.models import Round, Worker
from ml.labels import MODEL_KEYS

MODEL_ROLE = "model"


@dataclass(frozen=True)
class Pace:
    """How many model workers are there, and seconds a photo takes each of them on average (None: not known)."""

    workers: int
    photo_seconds: float | None


def _model_workers() -> QuerySet[Worker]:
    return Worker.objects.filter(role=MODEL_ROLE, seen_at__gte=fresh_since(), models_resident=len(MODEL_KEYS))


def fresh_since() -> Combinable:
    """A worker whose last heartbeat is older does not count as there."""
    return Now() - timedelta(seconds=settings.HEARTBEAT_STALE_SECONDS)


#: The pace as a table of one row, for queries that are asked at each poll; `pace_since` has its parameters.
PACE_SQL = f"""(
    SELECT count(*) AS workers, avg(photo_seconds) AS photo_seconds FROM operations_worker
    WHERE role = '{MODEL_ROLE}' AND models_resident = {len(MODEL_KEYS)} AND seen_at >= {ago_sql()}
)"""  # noqa: S608 - constants of ours


def pace_since() -> list[Any]:
    """The parameters of `PACE_SQL`."""
    return [settings.HEARTBEAT_STALE_SECONDS]


def pace() -> Pace:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT workers, photo_seconds FROM {PACE_SQL} AS pace", pace_since())  # noqa: S608
        return Pace(*cursor.fetchone())


def models_are_demo() -> bool | None:
    """Whether a photo sent now may be looked at by demo weights; None while no model worker is there to say."""
    told = list(_model_workers().values_list("demo", flat=True))
    return any(told) if told else None


def fresh_worker_names() -> frozenset[str]:
    """The node names of all workers that took a heartbeat just now."""
    return frozenset(Worker.objects.filter(seen_at__gte=fresh_since()).values_list("name", flat=True))


def worker_is_fresh(name: str) -> bool:
    """Whether the worker of this node name took a heartbeat just now, a model worker one with all seven models.

    One that only starts is written down as well, and whoever asks here lets another worker go for this one.
    """
    heard = Worker.objects.filter(name=name, seen_at__gte=fresh_since())
    return heard.exclude(role=MODEL_ROLE, models_resident__lt=len(MODEL_KEYS)).exists()


def fresh_workers_by_bundle() -> list[tuple[str, str, int]]:
    """Bundle, device and the number of ready model workers that hold the one on the other."""
    counted = _model_workers().values_list("bundle", "device").annotate(workers=Count("name"))
    return list(counted.order_by("bundle", "device"))


def rounds() -> list[Round]:
    """The rounds of upkeep, one row a kind."""
    return list(Round.objects.order_by("name"))

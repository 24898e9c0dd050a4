"""Available workers and their speed, from heartbeats; upkeep runs; checks of invariants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now

from backend.operations.database_clock import ago_sql
from backend.operations.models import InvariantCheck, Round, Worker
from ml.labels import MODEL_KEYS

MODEL_ROLE = "model"


@dataclass(frozen=True)
class Pace:
    """The number of available model workers, and their average seconds per photo (None: unknown)."""

    workers: int
    photo_seconds: float | None


def _model_workers() -> QuerySet[Worker]:
    return Worker.objects.filter(is_fresh(), role=MODEL_ROLE, models_resident=len(MODEL_KEYS))


def is_fresh() -> Q:
    """Whether a worker's last heartbeat is recent enough for it to count as available."""
    return is_recent("seen_at", settings.HEARTBEAT_STALE_SECONDS)


def is_recent(column: str, seconds: float) -> Q:
    """Whether a time is at most N seconds ago, and at most N seconds in the future: what was noted while the clock was
    wrong must not count until then.
    """
    span = timedelta(seconds=seconds)
    return Q(**{f"{column}__gte": Now() - span, f"{column}__lte": Now() + span})


#: The pace as a subquery of one row, for polls; `pace_since` has its parameters.
PACE_SQL = f"""(
    SELECT count(*) AS workers, avg(photo_seconds) AS photo_seconds FROM operations_worker
    WHERE role = '{MODEL_ROLE}' AND models_resident = {len(MODEL_KEYS)} AND seen_at >= {ago_sql()}
        AND seen_at <= {ago_sql()}
)"""  # noqa: S608 - constants only


def pace_since() -> list[Any]:
    """The parameters of `PACE_SQL`."""
    return [settings.HEARTBEAT_STALE_SECONDS, -settings.HEARTBEAT_STALE_SECONDS]


def pace() -> Pace:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT workers, photo_seconds FROM {PACE_SQL} AS pace", pace_since())  # noqa: S608
        return Pace(*cursor.fetchone())


def models_are_demo() -> bool | None:
    """Whether demo weights may process a new photo; None without a model worker."""
    demos = list(_model_workers().values_list("demo", flat=True))
    return any(demos) if demos else None


def fresh_worker_names() -> frozenset[str]:
    """The node names of all workers with a fresh heartbeat."""
    return frozenset(Worker.objects.filter(is_fresh()).values_list("name", flat=True))


def worker_is_fresh(name: str) -> bool:
    """Whether the worker of this node name has a fresh heartbeat and, for a model worker, all seven models.

    A worker that is still loading has a row too, but a rollout must not replace another worker by it yet.
    """
    fresh = Worker.objects.filter(is_fresh(), name=name)
    return fresh.exclude(role=MODEL_ROLE, models_resident__lt=len(MODEL_KEYS)).exists()


def fresh_workers_by_bundle() -> list[tuple[str, str, int]]:
    """Bundle, device, and the number of ready model workers with both."""
    counted = _model_workers().values_list("bundle", "device").annotate(workers=Count("name"))
    return list(counted.order_by("bundle", "device"))


def rounds() -> list[Round]:
    """The upkeep runs, one row per task."""
    return list(Round.objects.order_by("name"))


def invariant_checks() -> list[InvariantCheck]:
    """The last check of each invariant."""
    return list(InvariantCheck.objects.order_by("name"))

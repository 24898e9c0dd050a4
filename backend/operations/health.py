"""Whether the service can analyze a new photo, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import InterfaceError, OperationalError

from backend.operations.models import Round, Worker
from backend.operations.probe import broker_probe, storage_probe
from backend.operations.selectors import MODEL_ROLE, is_fresh, is_recent
from ml.labels import MODEL_KEYS

UPKEEP_ROLE = "upkeep"
#: The upkeep run that reclaims expired leases.
REAP = "reap"

#: Why a new photo would not be analyzed, or not reliably.
REASONS = {
    "database_unavailable": "The database cannot be reached.",
    "no_worker": "No model worker is registered.",
    "worker_stale": "Model workers are registered, but none sent a heartbeat within a third of a lease.",
    "models_missing": "Model workers send heartbeats, but none has loaded all seven models yet.",
    "upkeep_stale": "No upkeep worker sent a heartbeat within a third of a lease.",
    "reaper_stale": "The reaper has not finished a run within one lease: analyses of dead workers are not requeued.",
    "storage_unavailable": "Photos cannot be stored.",
}
#: Problems that neither stop a photo from being accepted nor, later, from being analyzed.
WARNINGS = {
    "broker_unavailable": "The broker cannot be reached: photos are accepted, and dispatched once it is back.",
}


@dataclass(frozen=True)
class Readiness:
    """Whether a new photo would be analyzed; `models_resident` is the minimum over the ready workers.

    `reasons` holds codes of `REASONS`, none if the service is ready, and `warnings` codes of `WARNINGS`.
    """

    ready: bool
    workers: int
    models_resident: int
    bundle: str | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]


def readiness() -> Readiness:
    """Check heartbeats, the reaper's last run, storage and broker.

    Takes at most four seconds if storage and broker hang, and as long as the database's timeouts if that hangs.
    """
    try:
        workers = list(Worker.objects.annotate(is_fresh=is_fresh()))
        reaps = Round.objects.filter(is_recent("ended_at", settings.LEASE_SECONDS), pk=REAP).exists()
    except (OperationalError, InterfaceError):
        return Readiness(False, 0, 0, None, ("database_unavailable", *_of_storage()), (*_of_broker(),))
    models = [worker for worker in workers if worker.role == MODEL_ROLE]
    fresh = [worker for worker in models if worker.is_fresh]
    holding = [worker for worker in fresh if worker.models_resident == len(MODEL_KEYS)]
    upkeep = any(worker.is_fresh for worker in workers if worker.role == UPKEEP_ROLE)
    # The probes come last: a heartbeat must not grow stale while one waits for its answer.
    reasons = (*_of_models(models, fresh, holding), *_of_upkeep(heard=upkeep, reaps=reaps), *_of_storage())
    return Readiness(
        ready=not reasons,
        workers=len(holding),
        models_resident=min((worker.models_resident for worker in holding), default=0),
        bundle=", ".join(sorted({worker.bundle for worker in holding})) or None,
        reasons=reasons,
        warnings=(*_of_broker(),),
    )


def _of_models(models: Sequence[Worker], fresh: Sequence[Worker], holding: Sequence[Worker]) -> Iterator[str]:
    if not models:
        yield "no_worker"
    elif not fresh:
        yield "worker_stale"
    elif not holding:
        yield "models_missing"


def _of_upkeep(*, heard: bool, reaps: bool) -> Iterator[str]:
    if not heard:
        yield "upkeep_stale"
    if not reaps:
        yield "reaper_stale"


def _of_storage() -> Iterator[str]:
    if not storage_probe.is_available():
        yield "storage_unavailable"


def _of_broker() -> Iterator[str]:
    if not broker_probe.is_available():
        yield "broker_unavailable"

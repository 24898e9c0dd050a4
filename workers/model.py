"""The model worker: `celery -A workers.model worker --pool threads …`, one process per device.

It checks its options, loads the seven models before it takes the first message, and sends heartbeats. `--concurrency`
is the maximum number of threads: it uses as many as keep the device busy, and leaves the rest of the queue to others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from celery import signals
from celery.apps.worker import Worker
from django.conf import settings

from backend.analyses.services.reaper import worker_leases_reclaim
from backend.operations.selectors import MODEL_ROLE
from backend.operations.services import register_worker
from backend.operations.task_names import ANALYZE_PHOTO, PHOTOS_QUEUE
from backend.operations.tracing import start_tracing
from ml.bundle import Bundle
from ml.errors import BundleInvalid, ModelError
from ml.predictor import Predictor
from workers.analyst import Analyst
from workers.app import app, task
from workers.batcher import Batcher
from workers.exit import exit_worker
from workers.heartbeat import keep_beating
from workers.metrics import BUNDLE, LOADED_MODELS, serve_metrics
from workers.selfcheck import selfcheck
from workers.tuning import choose_batching

log = structlog.get_logger(__name__)

__all__ = ["app"]

_analyst: Analyst | None = None


@task(queue=PHOTOS_QUEUE, name=ANALYZE_PHOTO)
def analyze_photo(*, analysis_id: str) -> str:
    return analyst().analyze(UUID(analysis_id))


def analyst() -> Analyst:
    """The analyst of this process."""
    if _analyst is None:
        raise RuntimeError("No models are loaded: this process was not started as a model worker.")
    return _analyst


def load_analyst(name: str, max_threads: int) -> int:
    """Load the seven models for the worker `name`; returns how many threads suit the device.

    Raises SystemExit with a sentence if the bundle is invalid.
    """
    global _analyst
    if _analyst is not None:
        raise RuntimeError("The models are already loaded.")
    try:
        predictor = Predictor(Bundle.open(Path(settings.BUNDLE)), settings.DEVICE, settings.RUNTIME)
    except (BundleInvalid, ModelError) as error:
        raise SystemExit(f"The bundle at {settings.BUNDLE} cannot be loaded. {error}") from error
    batching = choose_batching(
        predictor.seconds_for,
        max_batch=settings.MAX_BATCH,
        max_wait=None if settings.MAX_WAIT_MS is None else settings.MAX_WAIT_MS / 1000,
        most=max(1, max_threads // 2),
        fewest=predictor.lanes,
    )
    threads = min(max_threads, batching.threads)
    log.info(
        "batching_chosen",
        max_batch=batching.max_batch,
        max_wait_ms=round(1000 * batching.max_wait, 1),
        threads=threads,
        seconds={photos: round(seconds, 4) for photos, seconds in batching.seconds.items()},
    )
    batcher = Batcher(predictor, max_batch=batching.max_batch, max_wait=batching.max_wait, device_lost=exit_worker)
    batcher.photo_seconds = predictor.warm_up_seconds  # Until the first batch is measured.
    _analyst = Analyst(name, predictor, batcher)
    LOADED_MODELS.set(predictor.models_resident)
    BUNDLE.labels(
        predictor.bundle.reference,
        str(predictor.bundle.demo).lower(),
        predictor.device,
        predictor.runtime,
        predictor.precision,
    ).set(1)
    return threads


@signals.worker_init.connect
def check_and_load(sender: Worker, **_: Any) -> None:
    """Raises SystemExit if anything fails. Celery only logs other exceptions of its signals' receivers, and the worker
    would take messages without any models.
    """
    selfcheck(sender, batches=True)
    try:
        register_worker(sender.hostname, role=MODEL_ROLE)
        serve_metrics(settings.METRICS_PORT, settings.METRICS_HOST)
        # Celery creates its pool after this signal.
        sender.concurrency = load_analyst(sender.hostname, sender.concurrency)
        start_tracing(MODEL_ROLE)
        worker_leases_reclaim(sender.hostname)
    except Exception as error:
        log.exception("worker_start_failed", worker=sender.hostname)
        raise SystemExit(f"This worker does not start: {error!r}") from error


@signals.worker_shutting_down.connect
def drain(sender: str, **_: Any) -> None:
    analyst().batcher.drain()


keep_beating(app, MODEL_ROLE, analyst)

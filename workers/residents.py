"""What stays in the memory of a model worker: seven models, a batcher and an analyst, made once."""

from __future__ import annotations

from pathlib import Path

import structlog
from django.conf import settings

from ml.bundle import Bundle
from ml.errors import BundleInvalid, ModelError
from ml.predictor import Predictor
from workers.analyst import Analyst
from workers.batcher import Batcher
from workers.exit import leave
from workers.metrics import BUNDLE, RESIDENT
from workers.tuning import choose_batching

log = structlog.get_logger(__name__)

_resident: Analyst | None = None


def residents_load(name: str, threads: int) -> int:
    """Load the seven models for the worker `name` of so many threads at most; how many of them suit the device.

    Raises SystemExit with a sentence if the bundle does not hold.
    """
    global _resident
    if _resident is not None:
        raise RuntimeError("the models are resident already: they are loaded once a process")
    try:
        predictor = Predictor(Bundle.open(Path(settings.BUNDLE)), settings.DEVICE, settings.RUNTIME)
    except (BundleInvalid, ModelError) as error:
        raise SystemExit(f"The bundle at {settings.BUNDLE} can't be loaded. {error}") from error
    batching = choose_batching(
        predictor.seconds_for,
        max_batch=settings.MAX_BATCH,
        max_wait=None if settings.MAX_WAIT_MS is None else settings.MAX_WAIT_MS / 1000,
        most=max(1, threads // 2),
        fewest=predictor.lanes,
    )
    threads = min(threads, batching.threads)
    log.info(
        "batching_chosen",
        max_batch=batching.max_batch,
        max_wait_ms=round(1000 * batching.max_wait, 1),
        threads=threads,
        seconds={photos: round(taken, 4) for photos, taken in batching.seconds.items()},
    )
    batcher = Batcher(predictor, max_batch=batching.max_batch, max_wait=batching.max_wait, device_lost=leave)
    batcher.photo_seconds = predictor.warm_up_seconds  # Until the first batch tells better.
    _resident = Analyst(name, predictor, batcher)
    RESIDENT.set(predictor.models_resident)
    held = predictor.bundle.reference, str(predictor.bundle.demo).lower()
    BUNDLE.labels(*held, predictor.device, predictor.runtime, predictor.precision).set(1)
    return threads


def resident() -> Analyst:
    """The analyst of this process."""
    if _resident is None:
        raise RuntimeError("no models are resident in this process: it was not started as a model worker")
    return _resident

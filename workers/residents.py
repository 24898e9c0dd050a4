"""What stays in the memory of a model worker: seven models, a batcher and an analyst, made once."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from ml.bundle import Bundle
from ml.errors import BundleInvalid, ModelError
from ml.predictor import Predictor
from workers.analyst import Analyst
from workers.batcher import Batcher
from workers.exit import leave

_resident: Analyst | None = None


def residents_load(name: str) -> Analyst:
    """Load the seven models for the worker `name`. Raises SystemExit with a sentence if the bundle does not hold."""
    global _resident
    if _resident is not None:
        raise RuntimeError("the models are resident already: they are loaded once a process")
    try:
        predictor = Predictor(Bundle.open(Path(settings.BUNDLE)), settings.DEVICE)
    except (BundleInvalid, ModelError) as error:
        raise SystemExit(f"The bundle at {settings.BUNDLE} can't be loaded. {error}") from error
    batcher = Batcher(
        predictor,
        max_batch=settings.MAX_BATCH,
        max_wait=settings.MAX_WAIT_MS / 1000,
        device_lost=leave,
    )
    batcher.photo_seconds = predictor.warm_up_seconds  # Until the first batch tells better.
    _resident = Analyst(name, predictor, batcher)
    return _resident


def resident() -> Analyst:
    """The analyst of this process."""
    if _resident is None:
        raise RuntimeError("no models are resident in this process: it was not started as a model worker")
    return _resident

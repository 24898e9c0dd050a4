"""Parity: how far a runtime's answers are from eager torch in float32, over a fixed set of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.bundle import Bundle
from ml.data.synthetic import scalp_picture
from ml.labels import GATE
from ml.preprocessing import Prepared, prepare
from ml.runtimes import Runtime
from ml.runtimes.eager import EagerRuntime
from ml.runtimes.resident import ResidentModels

#: Seeds of the synthetic scalps that parity is measured over.
SEEDS = range(9000, 9024)


@dataclass(frozen=True, slots=True)
class Parity:
    """`largest` is the largest difference of any probability, `changed` the share of grades that came out otherwise."""

    runtime: str
    precision: str
    pictures: int
    largest: float
    changed: float


def measure_parity(bundle: Bundle, runtime: Runtime, pictures: int = len(SEEDS)) -> Parity:
    """Compare a runtime with eager torch in float32 on the CPU, all seven models of a bundle over so many pictures.

    Of the gate the probabilities count, and no grade. Raises OutOfMemory, DeviceLost or another ModelError.
    """
    specifications = {model.preprocessing for model in bundle.manifest.models}
    photos = [prepare(scalp_picture(seed), specifications) for seed in SEEDS[:pictures]]
    expected = _answers(bundle, EagerRuntime("cpu"), photos)
    found = _answers(bundle, runtime, photos)
    grades = [found[key].argmax(axis=1) != expected[key].argmax(axis=1) for key in expected if key != GATE.key]
    return Parity(
        runtime=runtime.name,
        precision=runtime.precision,
        pictures=len(photos),
        largest=max(float(np.abs(found[key] - expected[key]).max()) for key in expected),
        changed=float(np.mean(grades)),
    )


def _answers(bundle: Bundle, runtime: Runtime, photos: Sequence[Prepared]) -> dict[str, np.ndarray]:
    """Probabilities `[n, classes]` by key."""
    models = ResidentModels(runtime)
    for model, networks in bundle.networks():
        models.load(model, networks)
    rows: dict[str, list[np.ndarray]] = {model.key: [] for model in bundle.manifest.models}
    for photo in photos:
        batches = {spec: tensor[None] for spec, tensor in photo.tensors.items()}
        for model in bundle.manifest.models:
            rows[model.key].append(models.run(model.key, batches[model.preprocessing]).probabilities)
    return {key: np.concatenate(each) for key, each in rows.items()}

"""Parity: how far a runtime's answers are from eager torch in float32, over a fixed set of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ml.bundle import Bundle
from ml.data.synthetic import scalp_picture
from ml.gate import admits, distances
from ml.labels import GATE, GateClass
from ml.preprocessing import Prepared, prepare
from ml.runtimes import Runtime
from ml.runtimes.eager import EagerRuntime
from ml.runtimes.resident import ResidentModels

#: Seeds of the synthetic scalps that parity is measured over.
SEEDS = range(9000, 9024)


@dataclass(frozen=True, slots=True)
class Parity:
    """How far apart the answers are.

    `largest` is the largest difference of any probability, `changed` the share of grades that came out otherwise,
    `turned` the share of pictures that the gate decides on otherwise.
    """

    runtime: str
    precision: str
    pictures: int
    largest: float
    changed: float
    turned: float


def measure_parity(bundle: Bundle, runtime: Runtime, pictures: int = len(SEEDS)) -> Parity:
    """Compare a runtime with eager torch in float32 on the CPU, all seven models of a bundle over so many pictures.

    Raises OutOfMemory, DeviceLost or another ModelError.
    """
    return compare(bundle, resident(bundle, runtime), pictures)


def compare(bundle: Bundle, models: ResidentModels, pictures: int = len(SEEDS)) -> Parity:
    """As `measure_parity`, of all models of a bundle that are resident already."""
    runtime = models.runtime
    specifications = {model.preprocessing for model in bundle.manifest.models}
    photos = [prepare(scalp_picture(seed), specifications) for seed in SEEDS[:pictures]]
    expected, admitted_then = _answers(bundle, resident(bundle, EagerRuntime("cpu")), photos)
    found, admitted_now = _answers(bundle, models, photos)
    grades = [found[key].argmax(axis=1) != expected[key].argmax(axis=1) for key in expected if key != GATE.key]
    return Parity(
        runtime=runtime.name,
        precision=runtime.precision,
        pictures=len(photos),
        largest=max(float(np.abs(found[key] - expected[key]).max()) for key in expected),
        changed=float(np.mean(grades)),
        turned=float(np.mean(admitted_now != admitted_then)),
    )


def resident(bundle: Bundle, runtime: Runtime) -> ResidentModels:
    """All models of a bundle on a runtime. Raises ModelError where one can't be loaded."""
    models = ResidentModels(runtime)
    for model, networks in bundle.networks():
        models.load(model, networks)
    return models


def _answers(
    bundle: Bundle, models: ResidentModels, photos: Sequence[Prepared]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Probabilities `[n, classes]` by key, and whether the gate admits each photo."""
    distance = bundle.distance()
    rows: dict[str, list[np.ndarray]] = {model.key: [] for model in bundle.manifest.models}
    admitted = []
    for photo in photos:
        batches = {spec: tensor[None] for spec, tensor in photo.tensors.items()}
        for model in bundle.manifest.models:
            gate = model.key == GATE.key
            answer = models.run(model.key, batches[model.preprocessing], features=gate and bool(distance))
            rows[model.key].append(answer.probabilities)
            if gate:
                features = answer.features
                away = None if features is None else float(distances(torch.from_numpy(features), distance)[0])
                admitted.append(admits(float(answer.probabilities[0, GateClass.SCALP]), away, model.threshold))
    models.forget()
    return {key: np.concatenate(each) for key, each in rows.items()}, np.array(admitted)

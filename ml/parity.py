"""Parity: how far a runtime's answers are from eager torch in float32, over a fixed set of pictures."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from ml.bundle import Bundle
from ml.data.synthetic import scalp_picture
from ml.errors import ModelError
from ml.gate import admits, distances
from ml.labels import GATE, GateClass
from ml.preprocessing import Prepared, prepare
from ml.runtimes import Runtime
from ml.runtimes.cache import Cache
from ml.runtimes.eager import EagerRuntime
from ml.runtimes.resident import ResidentModels

logger = logging.getLogger(__name__)

#: Seeds of the synthetic scalps that parity is measured on.
SEEDS = range(9000, 9024)

#: The largest share of grades that a lossy runtime may change: one of the 144 that are compared.
_MAX_CHANGED_GRADES = 0.01


@dataclass(frozen=True, slots=True)
class Parity:
    """How far apart the answers are.

    `largest` is the largest difference between two probabilities, `changed` the share of grades that differ, `turned`
    the share of pictures on which the gate's decision differs.
    """

    runtime: str
    precision: str
    pictures: int
    largest: float
    changed: float
    turned: float


def measure_parity(bundle: Bundle, runtime: Runtime, pictures: int = len(SEEDS)) -> Parity:
    """Compare a runtime with eager torch in float32 on the CPU: all seven models of a bundle, on this many pictures.

    Raises OutOfMemory, DeviceLost or another ModelError.
    """
    return compare(bundle, load_models(bundle, runtime), pictures)


def compare(bundle: Bundle, models: ResidentModels, pictures: int = len(SEEDS)) -> Parity:
    """Like `measure_parity`, for models of a bundle that are already resident."""
    runtime = models.runtime
    specifications = {model.preprocessing for model in bundle.manifest.models}
    photos = [prepare(scalp_picture(seed), specifications) for seed in SEEDS[:pictures]]
    expected, expected_admitted = _answers(bundle, load_models(bundle, EagerRuntime("cpu")), photos)
    found, admitted = _answers(bundle, models, photos)
    changed = [found[key].argmax(axis=1) != expected[key].argmax(axis=1) for key in expected if key != GATE.key]
    return Parity(
        runtime=runtime.name,
        precision=runtime.precision,
        pictures=len(photos),
        largest=max(float(np.abs(found[key] - expected[key]).max()) for key in expected),
        changed=float(np.mean(changed)),
        turned=float(np.mean(admitted != expected_admitted)),
    )


def require_parity(bundle: Bundle, models: ResidentModels, cache: Cache) -> None:
    """Raise ModelError if the resident models of a bundle grade differently than in float32, beyond the limit.

    The models are compared once; `cache` keeps the result.
    """
    manifest = hashlib.sha256(bundle.manifest.model_dump_json().encode()).hexdigest()
    name = f"parity of {manifest} {models.runtime.version}"
    kept = cache.find(name)
    parity = _parse(kept.read_bytes()) if kept is not None else None
    if parity is None:
        parity = compare(bundle, models)
        cache.write(name, json.dumps(asdict(parity)).encode())
    logger.info(
        "runtime %s changes %.1f %% of the grades of bundle %s, and %.1f %% of its gate's decisions, on %d pictures",
        parity.runtime, 100 * parity.changed, bundle.reference, 100 * parity.turned, parity.pictures,
    )  # fmt: skip
    if parity.changed > _MAX_CHANGED_GRADES or parity.turned > 0:
        raise ModelError(
            f"The runtime {parity.runtime} changes {parity.changed:.1%} of the grades of bundle {bundle.reference} and "
            f"{parity.turned:.1%} of its gate's decisions, on {parity.pictures} pictures. At most "
            f"{_MAX_CHANGED_GRADES:.0%} of the grades and none of the decisions may change. Use the runtime auto."
        )


def load_models(bundle: Bundle, runtime: Runtime) -> ResidentModels:
    """All models of a bundle on a runtime. Raises ModelError if one can't be loaded."""
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
            is_gate = model.key == GATE.key
            answer = models.run(model.key, batches[model.preprocessing], features=is_gate and bool(distance))
            rows[model.key].append(answer.probabilities)
            if is_gate:
                features = answer.features
                away = None if features is None else float(distances(torch.from_numpy(features), distance)[0])
                admitted.append(admits(float(answer.probabilities[0, GateClass.SCALP]), away, model.threshold))
    models.forget()
    return {key: np.concatenate(each) for key, each in rows.items()}, np.array(admitted)


def _parse(content: bytes) -> Parity | None:
    """A comparison from the cache; None if it is damaged."""
    try:
        return Parity(**json.loads(content))
    except (ValueError, TypeError):
        return None

"""Observation: a bundle's raw answers for photographs, through the runtime that the service would use here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from PIL import Image

from ml.adaptation.photographs import Tally
from ml.bundle import Bundle
from ml.bundle.manifest import ModelSpec
from ml.gate import admits, distances
from ml.labels import GATE, SYMPTOM_KEYS, GateClass
from ml.levels import score
from ml.outputs import to_answers
from ml.preprocessing import prepare
from ml.runtimes.choice import open_runtime
from ml.runtimes.resident import ResidentModels

T = TypeVar("T")

_BATCH = 8


@dataclass(frozen=True, slots=True)
class Observation:
    """A bundle's answers for the n photographs that pass its gate.

    `outputs` `[passes, n, outputs]` by symptom are those of `ml.runtimes.resident.ModelAnswer`. `features` `[n, width]`
    are the input of the gate's head. `sizes` are width and height in pixels, `places` indices among all photographs.
    """

    models: Mapping[str, ModelSpec]
    outputs: Mapping[str, np.ndarray]
    features: np.ndarray
    sizes: tuple[tuple[int, int], ...]
    places: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.sizes)

    def scores(self, key: str) -> np.ndarray:
        """The score `[n]` of each photograph by this grader, regardless of the bundle's levels (`ml.levels`)."""
        scores: np.ndarray = score(self._answers(key, calibrated=False)).numpy()
        return scores

    def probabilities(self, key: str) -> np.ndarray:
        """The bundle's probabilities `[n, 4]` of the grades."""
        probabilities: np.ndarray = self._answers(key, calibrated=True).numpy()
        return probabilities

    def _answers(self, key: str, *, calibrated: bool) -> torch.Tensor:
        model = self.models[key]
        levels = model.levels if calibrated else None
        return to_answers(torch.from_numpy(self.outputs[key]), model.output, model.temperature, levels)


def observe(
    bundle: Bundle, photographs: Iterable[Image.Image], tally: Tally, *, device: str = "auto", runtime: str = "auto"
) -> Observation:
    """Run the gate and, on photographs that pass, the six graders; `tally` counts rejected photographs.

    One batch of photographs is in memory at a time. Raises ModelError if a model can't be loaded or run, and errors of
    reading the photographs.
    """
    models = ResidentModels(open_runtime(runtime, device))
    for model, networks in bundle.networks():
        models.load(model, networks)
    specifications = {model.preprocessing for model in bundle.manifest.models}
    gate, distance = bundle.model(GATE.key), bundle.distance()
    keys = list(SYMPTOM_KEYS)
    outputs: dict[str, list[np.ndarray]] = {key: [] for key in keys}
    features: list[np.ndarray] = []
    sizes: list[tuple[int, int]] = []
    places: list[int] = []
    for some in _batched(enumerate(photographs)):
        prepared = [(place, prepare(photo, specifications)) for place, photo in some]
        fit = [(place, photo) for place, photo in prepared if photo.quality.rejection is None]
        tally.poor += len(prepared) - len(fit)
        if not fit:
            continue
        seen, scalp = _gate_answer(models, torch.stack([photo.tensors[gate.preprocessing] for _, photo in fit]))
        away = distances(torch.from_numpy(seen), distance).tolist() if distance else [None] * len(fit)
        admitted = [
            index for index, pair in enumerate(zip(scalp.tolist(), away, strict=True)) if admits(*pair, gate.threshold)
        ]
        tally.rejected += len(fit) - len(admitted)
        if not admitted:
            continue
        features.append(seen[admitted])
        places += [fit[index][0] for index in admitted]
        passed = [fit[index][1] for index in admitted]
        sizes += [photo.size for photo in passed]
        batches = {spec: torch.stack([photo.tensors[spec] for photo in passed]) for spec in specifications}
        for key in keys:
            outputs[key].append(models.run(key, batches[bundle.model(key).preprocessing]).outputs)
        models.forget()
    return Observation(
        models={key: bundle.model(key) for key in keys},
        outputs={key: np.concatenate(rows, axis=1) for key, rows in outputs.items() if rows},
        features=np.concatenate(features) if features else np.empty((0, 0), dtype=np.float32),
        sizes=tuple(sizes),
        places=tuple(places),
    )


def ask_gate(
    bundle: Bundle, pictures: Iterable[Image.Image], *, device: str = "auto", runtime: str = "auto"
) -> tuple[np.ndarray, np.ndarray]:
    """The input of the gate's head for each picture, float32 `[n, width]`, and the probability of a scalp `[n]`."""
    models = ResidentModels(open_runtime(runtime, device))
    model, networks = next((model, networks) for model, networks in bundle.networks() if model.key == GATE.key)
    models.load(model, networks)
    spec = model.preprocessing
    answers = [
        _gate_answer(models, torch.stack([prepare(picture, {spec}).tensors[spec] for picture in some]))
        for some in _batched(pictures)
    ]
    features, probabilities = (np.concatenate(column) for column in zip(*answers, strict=True))
    return features, probabilities


def _gate_answer(models: ResidentModels, batch: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    answer = models.run(GATE.key, batch, features=True)
    models.forget()
    assert answer.features is not None, "They were requested."
    return answer.features, answer.probabilities[:, GateClass.SCALP]


def _batched(photographs: Iterable[T]) -> Iterator[list[T]]:
    coming = iter(photographs)
    while some := list(islice(coming, _BATCH)):
        yield some

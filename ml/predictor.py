"""The predictor: seven resident models, the gate first, then the six graders over the same batch."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Literal, NamedTuple

import numpy as np
import torch

from ml import quality
from ml.activation_maps import map_of_grade
from ml.bundle import Bundle
from ml.bundle.manifest import ModelSpec
from ml.errors import ModelError
from ml.gate import admits, distances
from ml.labels import GATE, SYMPTOM_KEYS, Abstention, GateClass, counted_grade, scalp_type
from ml.parity import require_parity
from ml.preprocessing import Photo, Prepared, Preprocessing, prepare
from ml.runtimes.cache import Cache, default_cache
from ml.runtimes.choice import open_runtime
from ml.runtimes.resident import ModelAnswer, Prefetch, ResidentModels

logger = logging.getLogger(__name__)

#: Called after each model with the number of models done (1 to 7) and the indices of the photos still in the batch;
#: returns those to continue with. It is not called for an empty batch.
Watch = Callable[[int, Sequence[int]], Collection[int]]

#: Why the gate rejects a photo: "too_far" if it knows that class and considers it likelier than something else.
GateRejection = Literal["not_a_scalp", "too_far"]
#: Why a photo is rejected: by the gate, or by its quality (`ml.quality`).
Rejection = GateRejection | quality.Rejection

#: The order in which the models run.
RUN_ORDER = (GATE.key, *SYMPTOM_KEYS)
#: Each key with the next one.
_KEYS_AND_NEXT: Sequence[tuple[str, str | None]] = tuple(zip_longest(RUN_ORDER, RUN_ORDER[1:]))


@dataclass(frozen=True, slots=True)
class Finding:
    """One grader's answer: `grade` 0–3, the probability of each grade, and the highest of them as `confidence`.

    `abstention` says why the grade should not be relied on, None if it can be: "unproven" (the model is not rated),
    else "unfamiliar" (the photo is beyond its reach), else "unsure" (the confidence is below its threshold). `map`, if
    requested, shows which parts of the photo support the grade: float32 `[h, w]` over the model's input, higher where
    there is more support (`ml.activation_maps`).
    """

    symptom: str
    grade: int
    probabilities: tuple[float, float, float, float]
    confidence: float
    abstention: Abstention | None
    map: np.ndarray | None = field(default=None, compare=False, repr=False)

    @property
    def abstains(self) -> bool:
        """Whether the grade is withheld."""
        return self.abstention is not None


@dataclass(frozen=True, slots=True)
class Prediction:
    """The models' answers for one photo.

    A rejected photo has `is_scalp` false and the reason's code as `rejection`; `findings` is empty, `skin` and `pred`
    are None. Otherwise there are six findings in the order of `ml.labels.SYMPTOMS`, and the scalp type and degree that
    follow from those that count (`ml.labels.counted_grade`). `scalp_probability` and, if the bundle's gate measures it,
    `scalp_distance` come from the gate (`ml.gate`); they are None for a photo that was rejected for its quality.
    """

    is_scalp: bool
    scalp_probability: float | None
    findings: tuple[Finding, ...] = ()
    skin: str | None = None
    pred: str | None = None
    scalp_distance: float | None = None
    rejection: Rejection | None = None


class Predictor:
    """Seven models, resident on one device until the process ends."""

    def __init__(self, bundle: Bundle, device: str = "auto", runtime: str = "auto") -> None:
        """Load all seven and run each once, so that the first photo is as fast as the next.

        `runtime` is one of `ml.runtimes.choice.Name`. Raises DeviceUnavailable, OutOfMemory or another ModelError.
        """
        started = time.perf_counter()
        self.bundle = bundle
        self._distance = bundle.distance()
        opened = open_runtime(runtime, device)
        self._models = ResidentModels(opened)
        self.runtime, self.device, self.precision = opened.name, opened.device, opened.precision
        #: How many photos at once keep the device fully busy.
        self.lanes = opened.lanes
        self.models_resident = 0
        self._specifications = {model.preprocessing for model in bundle.manifest.models}
        for model, networks in bundle.networks():
            self._models.load(model, networks)
            self.models_resident += 1
        if opened.lossy:
            require_parity(bundle, self._models, Cache(default_cache()))
        #: Seconds that the seven took for one picture during warm-up: a first, cautious estimate.
        self.warm_up_seconds = self.seconds_for(1)
        logger.info(
            "%d models resident on %s (%s, %s) from bundle %s in %.1f seconds",
            self.models_resident, self.device, self.runtime, self.precision, bundle.reference,
            time.perf_counter() - started,
        )  # fmt: skip

    def seconds_for(self, photos: int) -> float:
        """Seconds that the seven models take for this many blank pictures at once. Raises as `predict` does."""
        blank = {spec: torch.zeros(3, spec.image_size, spec.image_size) for spec in self._specifications}
        batches = _Batches(self.bundle, [blank] * photos)
        everyone = range(photos)
        started = time.perf_counter()
        try:
            for key, next_key in _KEYS_AND_NEXT:
                self._run(key, batches.of(everyone, key), prefetch=batches.prefetch(everyone, next_key))
        finally:
            self._models.forget()
        return time.perf_counter() - started

    def prepare(self, photo: Photo) -> Prepared:
        """Prepare a photo for all seven models. On the CPU; many threads may call it at once.

        Takes the bytes of a file, a path or a Pillow image. Raises PhotoUnreadable.
        """
        return prepare(photo, self._specifications)

    def predict(
        self, photos: Sequence[Prepared], watch: Watch | None = None, *, maps: bool = False
    ) -> list[Prediction | None]:
        """One prediction per photo, in order; None for a photo that `watch` took out of the batch.

        Photos that are too dark, too bright or too blurred are rejected first. Then the gate runs, and photos that it
        rejects leave the batch; then the six graders run one after another, until no photo is left. With `maps` each
        finding has its map. For one thread at a time. Raises OutOfMemory, DeviceLost or another ModelError for the
        batch as a whole.
        """
        rejections: dict[int, Rejection] = {
            index: photo.quality.rejection for index, photo in enumerate(photos) if photo.quality.rejection is not None
        }
        staying = [index for index in range(len(photos)) if index not in rejections]
        batches = _Batches(self.bundle, [photo.tensors for photo in photos])
        gated: dict[int, _GateResult] = {}
        findings: dict[int, list[Finding]] = {index: [] for index in staying}
        for done, (key, next_key) in enumerate(_KEYS_AND_NEXT, start=1):
            if not staying:
                break
            model, batch = self.bundle.model(key), batches.of(staying, key)
            prefetch = batches.prefetch(staying, next_key)
            if key == GATE.key:
                gated = dict(zip(staying, self._run_gate(batch, prefetch), strict=True))
                rejections |= {
                    index: gated[index].rejection
                    for index in staying
                    if not admits(gated[index].probability, gated[index].distance, model.threshold)
                }
                staying = [index for index in staying if index not in rejections]
            else:
                answer = self._run(key, batch, prefetch=prefetch, maps=maps)
                for row, index in enumerate(staying):
                    findings[index].append(_finding(model, answer, row, gated[index].distance))
            if watch is not None and staying:
                wanted = set(watch(done, tuple(staying)))
                staying = [index for index in staying if index in wanted]
        self._models.forget()
        stayed = set(staying)
        return [
            _accepted_prediction(gated[index], findings[index])
            if index in stayed
            else _rejected_prediction(rejections[index], gated.get(index))
            if index in rejections
            else None
            for index in range(len(photos))
        ]

    def _run_gate(self, batch: torch.Tensor, prefetch: Prefetch) -> list[_GateResult]:
        """The gate's result for each photo of a batch."""
        answer = self._run(GATE.key, batch, prefetch=prefetch, features=bool(self._distance))
        rows, features = answer.probabilities, answer.features
        away = (
            [None] * len(rows) if features is None else distances(torch.from_numpy(features), self._distance).tolist()
        )
        return [
            _GateResult(float(row[GateClass.SCALP]), distance, gate_rejection(row))
            for row, distance in zip(rows, away, strict=True)
        ]

    def _run(
        self, key: str, batch: torch.Tensor, *, prefetch: Prefetch = None, features: bool = False, maps: bool = False
    ) -> ModelAnswer:
        answer = self._models.run(key, batch, prefetch=prefetch, features=features, maps=maps)
        expected = (len(batch), self.bundle.model(key).classes)
        if answer.probabilities.shape != expected or not np.isfinite(answer.probabilities).all():
            raise ModelError(f"The model {key} of bundle {self.bundle.reference} returned invalid probabilities.")
        return answer


class _Batches:
    """The inputs of the models: the same tensor for models with the same photos, so that trunks can be shared."""

    def __init__(self, bundle: Bundle, photos: Sequence[Mapping[Preprocessing, torch.Tensor]]) -> None:
        self._bundle = bundle
        self._photos = photos
        self._indices: tuple[int, ...] = ()
        self._made: dict[Preprocessing, torch.Tensor] = {}

    def of(self, indices: Sequence[int], key: str) -> torch.Tensor:
        """Float32 `[n, 3, size, size]` of the photos at these indices, as the model expects them."""
        if self._indices != tuple(indices):
            self._indices, self._made = tuple(indices), {}
        spec = self._bundle.model(key).preprocessing
        if spec not in self._made:
            self._made[spec] = torch.stack([self._photos[index][spec] for index in indices])
        return self._made[spec]

    def prefetch(self, indices: Sequence[int], key: str | None) -> Prefetch:
        """The next model, if there is one, with its batch if all of these photos stay."""
        return (key, self.of(indices, key)) if key else None


class _GateResult(NamedTuple):
    """The gate's result for a photo. `distance` is None if the gate has none; `rejection` is the reason if it fails."""

    probability: float
    distance: float | None
    rejection: GateRejection


def gate_rejection(probabilities: np.ndarray) -> GateRejection:
    """Why the gate rejects a photo, by its probabilities `[2 or 3]`."""
    has_too_far_class = len(probabilities) > GateClass.TOO_FAR
    if has_too_far_class and probabilities[GateClass.TOO_FAR] > probabilities[GateClass.OTHER]:
        return "too_far"
    return "not_a_scalp"


def _finding(model: ModelSpec, answer: ModelAnswer, row: int, distance: float | None) -> Finding:
    probabilities = answer.probabilities[row]
    good, mild, moderate, severe = (float(value) for value in probabilities)
    grade, confidence = int(probabilities.argmax()), float(probabilities.max())
    return Finding(
        symptom=model.key,
        grade=grade,
        probabilities=(good, mild, moderate, severe),
        confidence=confidence,
        abstention=_abstention(model, confidence, distance),
        map=None if answer.maps is None else map_of_grade(answer.maps[row], grade, model.output),
    )


def _abstention(model: ModelSpec, confidence: float, distance: float | None) -> Abstention | None:
    if not model.rated:
        return "unproven"
    if model.reach is not None and distance is not None and distance > model.reach:
        return "unfamiliar"
    return "unsure" if confidence < model.threshold else None


def _accepted_prediction(gated: _GateResult, findings: list[Finding]) -> Prediction:
    skin, pred = scalp_type([counted_grade(finding.grade, finding.abstention) for finding in findings])
    return Prediction(True, gated.probability, tuple(findings), skin, pred, gated.distance)


def _rejected_prediction(rejection: Rejection, gated: _GateResult | None) -> Prediction:
    if gated is None:
        return Prediction(False, None, rejection=rejection)
    return Prediction(False, gated.probability, scalp_distance=gated.distance, rejection=rejection)

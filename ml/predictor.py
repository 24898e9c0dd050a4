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
from ml.labels import GATE, SYMPTOMS, Abstention, GateClass, counted_grade, scalp_type
from ml.preprocessing import Photo, Prepared, Preprocessing, prepare
from ml.runtimes.choice import open_runtime, require_parity
from ml.runtimes.resident import Answer, ResidentModels, Then

logger = logging.getLogger(__name__)

#: Called after each model with the number of models done (1 to 7) and the indices of the photos still in the
#: batch; returns those to go on with. It is not called for an empty batch.
Watch = Callable[[int, Sequence[int]], Collection[int]]

#: Why the gate refuses a photo: "too_far" where it knows that class and holds it likelier than something else.
GateRefusal = Literal["not_a_scalp", "too_far"]
#: Why a photo is refused: by the gate, or by its quality (`ml.quality`).
Refusal = GateRefusal | quality.Refusal

#: The order in which the models run.
RUN_ORDER = (GATE.key, *(symptom.key for symptom in SYMPTOMS))
#: Each of them with the one that follows.
_RUNS: Sequence[tuple[str, str | None]] = tuple(zip_longest(RUN_ORDER, RUN_ORDER[1:]))


@dataclass(frozen=True, slots=True)
class Graded:
    """One grader's answer: `grade` 0–3, the probability of each grade, the greatest of them as `confidence`.

    `abstention` says why the grade should not be relied on, None where it stands: "unproven" (the model is not rated),
    else "unfamiliar" (the photo is beyond its reach), else "unsure" (the confidence is below its threshold). `map`,
    where it was asked for, says where on the photo the grade was seen: float32 `[h, w]` over what the model saw of the
    photo, more where more speaks for the grade (`ml.activation_maps`).
    """

    symptom: str
    grade: int
    probabilities: tuple[float, float, float, float]
    confidence: float
    abstention: Abstention | None
    map: np.ndarray | None = field(default=None, compare=False, repr=False)

    @property
    def abstains(self) -> bool:
        return self.abstention is not None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the models say of one photo.

    A photo that is refused has `is_scalp` false and the code of the reason as `refusal`, `findings` is empty and `skin`
    and `pred` are None. Else there are six findings in the order of `ml.labels.SYMPTOMS`, and the scalp type and
    degree that follow from those that count (`ml.labels.counted_grade`). `scalp_probability` and, where the bundle's
    gate measures it, `scalp_distance` are the gate's (`ml.gate`); None for a photo whose quality was too poor for the
    gate to look at.
    """

    is_scalp: bool
    scalp_probability: float | None
    findings: tuple[Graded, ...] = ()
    skin: str | None = None
    pred: str | None = None
    scalp_distance: float | None = None
    refusal: Refusal | None = None


class Predictor:
    """Seven models, resident on one device until the process ends."""

    def __init__(self, bundle: Bundle, device: str = "auto", runtime: str = "auto") -> None:
        """Load all seven and run each once, so that the first photo is no slower than the next.

        `runtime` is a name that `ml.runtimes.choice` knows. Raises DeviceUnavailable, OutOfMemory or another
        ModelError.
        """
        started = time.perf_counter()
        self.bundle = bundle
        self._distance = bundle.distance()
        opened = open_runtime(runtime, device)
        self._models = ResidentModels(opened)
        self.runtime, self.device, self.precision = opened.name, opened.device, opened.precision
        #: How many photos at once it takes to keep the device busy to the end.
        self.lanes = opened.lanes
        self.models_resident = 0
        self._specifications = {model.preprocessing for model in bundle.manifest.models}
        for model, networks in bundle.networks():
            self._models.load(model, networks)
            self.models_resident += 1
        require_parity(bundle, self._models)
        #: Seconds that the seven took for one picture while they warmed up: a first, cautious estimate.
        self.warm_up_seconds = self.seconds_for(1)
        logger.info(
            "%d models resident on %s (%s, %s) from bundle %s in %.1f seconds",
            self.models_resident, self.device, self.runtime, self.precision, bundle.reference,
            time.perf_counter() - started,
        )  # fmt: skip

    def seconds_for(self, photos: int) -> float:
        """Seconds that the seven models take for so many blank pictures at once. Raises as `predict` does."""
        blank = {spec: torch.zeros(3, spec.image_size, spec.image_size) for spec in self._specifications}
        batches = _Batches(self.bundle, [blank] * photos)
        everyone = range(photos)
        begun = time.perf_counter()
        try:
            for key, following in _RUNS:
                self._run(key, batches.of(everyone, key), then=batches.then(everyone, following))
        finally:
            self._models.forget()
        return time.perf_counter() - begun

    def prepare(self, photo: Photo) -> Prepared:
        """A photo made ready for all seven models. On the CPU; many threads may call it at once.

        Takes the bytes of a file, a path or a Pillow image. Raises PhotoUnreadable.
        """
        return prepare(photo, self._specifications)

    def predict(
        self, photos: Sequence[Prepared], watch: Watch | None = None, *, maps: bool = False
    ) -> list[Prediction | None]:
        """One prediction a photo, in order; None for a photo that `watch` took out of the batch.

        What is too dark, too bright or too blurred is refused first. Then the gate runs, and what it refuses
        leaves the batch; then the six graders run one after another. When nobody is left no further model runs.
        With `maps` each finding has its map. For one thread at a time. Raises OutOfMemory, DeviceLost or another
        ModelError for the batch as a whole.
        """
        refusals: dict[int, Refusal] = {
            index: photo.quality.refusal for index, photo in enumerate(photos) if photo.quality.refusal is not None
        }
        staying = [index for index in range(len(photos)) if index not in refusals]
        batches = _Batches(self.bundle, [photo.tensors for photo in photos])
        seen: dict[int, _Seen] = {}
        findings: dict[int, list[Graded]] = {index: [] for index in staying}
        for done, (key, following) in enumerate(_RUNS, start=1):
            if not staying:
                break
            model, batch = self.bundle.model(key), batches.of(staying, key)
            then = batches.then(staying, following)
            if key == GATE.key:
                seen = dict(zip(staying, self._gate(batch, then), strict=True))
                refusals |= {
                    index: seen[index].refusal
                    for index in staying
                    if not admits(seen[index].probability, seen[index].distance, model.threshold)
                }
                staying = [index for index in staying if index not in refusals]
            else:
                answer = self._run(key, batch, then=then, maps=maps)
                for place, index in enumerate(staying):
                    findings[index].append(_graded(model, answer, place, seen[index].distance))
            if watch is not None and staying:
                wanted = set(watch(done, tuple(staying)))
                staying = [index for index in staying if index in wanted]
        self._models.forget()
        stayed = set(staying)
        return [
            _whole(seen[index], findings[index])
            if index in stayed
            else _refused(refusals[index], seen.get(index))
            if index in refusals
            else None
            for index in range(len(photos))
        ]

    def _gate(self, batch: torch.Tensor, then: Then) -> list[_Seen]:
        """What the gate sees in each photo of a batch."""
        answer = self._run(GATE.key, batch, then=then, features=bool(self._distance))
        rows, features = answer.probabilities, answer.features
        away = (
            [None] * len(rows) if features is None else distances(torch.from_numpy(features), self._distance).tolist()
        )
        return [
            _Seen(float(row[GateClass.SCALP]), distance, gate_refusal(row))
            for row, distance in zip(rows, away, strict=True)
        ]

    def _run(
        self, key: str, batch: torch.Tensor, *, then: Then = None, features: bool = False, maps: bool = False
    ) -> Answer:
        answer = self._models.run(key, batch, then=then, features=features, maps=maps)
        expected = (len(batch), self.bundle.model(key).classes)
        if answer.probabilities.shape != expected or not np.isfinite(answer.probabilities).all():
            raise ModelError(f"The model {key} of bundle {self.bundle.reference} gave no usable probabilities.")
        return answer


class _Batches:
    """The inputs of the models: one tensor as long as the same photos want the same, so that trunks can be shared."""

    def __init__(self, bundle: Bundle, photos: Sequence[Mapping[Preprocessing, torch.Tensor]]) -> None:
        self._bundle = bundle
        self._photos = photos
        self._indices: tuple[int, ...] = ()
        self._made: dict[Preprocessing, torch.Tensor] = {}

    def of(self, indices: Sequence[int], key: str) -> torch.Tensor:
        """Float32 `[n, 3, size, size]` of the photos at these indices, as the model wants them."""
        if self._indices != tuple(indices):
            self._indices, self._made = tuple(indices), {}
        spec = self._bundle.model(key).preprocessing
        if spec not in self._made:
            self._made[spec] = torch.stack([self._photos[index][spec] for index in indices])
        return self._made[spec]

    def then(self, indices: Sequence[int], key: str | None) -> Then:
        """The model that comes next, if there is one, with what it gets if all of these photos stay."""
        return (key, self.of(indices, key)) if key else None


class _Seen(NamedTuple):
    """What the gate says of a photo: the distance, None where it measures none, and why it refuses it if it does."""

    probability: float
    distance: float | None
    refusal: GateRefusal


def gate_refusal(probabilities: np.ndarray) -> GateRefusal:
    """The code for a photo that the gate does not let pass, by the gate's probabilities `[2 or 3]`."""
    knows_distance = len(probabilities) > GateClass.TOO_FAR
    if knows_distance and probabilities[GateClass.TOO_FAR] > probabilities[GateClass.OTHER]:
        return "too_far"
    return "not_a_scalp"


def _graded(model: ModelSpec, answer: Answer, place: int, distance: float | None) -> Graded:
    row = answer.probabilities[place]
    good, mild, moderate, severe = (float(value) for value in row)
    grade, confidence = int(row.argmax()), float(row.max())
    return Graded(
        symptom=model.key,
        grade=grade,
        probabilities=(good, mild, moderate, severe),
        confidence=confidence,
        abstention=_abstention(model, confidence, distance),
        map=None if answer.maps is None else map_of_grade(answer.maps[place], grade, model.output),
    )


def _abstention(model: ModelSpec, confidence: float, distance: float | None) -> Abstention | None:
    if not model.rated:
        return "unproven"
    if model.reach is not None and distance is not None and distance > model.reach:
        return "unfamiliar"
    return "unsure" if confidence < model.threshold else None


def _whole(seen: _Seen, findings: list[Graded]) -> Prediction:
    skin, pred = scalp_type([counted_grade(finding.grade, finding.abstention) for finding in findings])
    return Prediction(True, seen.probability, tuple(findings), skin, pred, seen.distance)


def _refused(refusal: Refusal, seen: _Seen | None) -> Prediction:
    if seen is None:
        return Prediction(False, None, refusal=refusal)
    return Prediction(False, seen.probability, scalp_distance=seen.distance, refusal=refusal)

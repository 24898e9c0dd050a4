"""Subjects: what can be evaluated, a training run or a bundle, both giving raw answers to records."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from tqdm import tqdm

from ml.bundle import MANIFEST_FILE, Bundle
from ml.data.files import UNREADABLE
from ml.data.records import Record
from ml.errors import DataSetInvalid, PhotoUnreadable, RunInvalid
from ml.evaluation.answers import Answers, Raw
from ml.labels import GATE
from ml.manifest import VIEWS, ModelSpec
from ml.outputs import Output
from ml.preprocessing import Preprocessing, prepare
from ml.registry import Weights
from ml.runtimes.eager import EagerRuntime, choose_device

if TYPE_CHECKING:
    from ml.training.run import Run

RUN_FILE = "run.json"

_BATCH = 8
#: Pictures that a run answers between two steps of the progress bar.
_CHUNK = 128
_DECODERS = 4

#: Probabilities are float32: less than this is not told from 0, which has no logarithm.
_LEAST = float(np.finfo(np.float32).tiny)


class Subject(Protocol):
    """A run or a bundle: `name` for people, `facts` by name for the model card.

    `temperatures` and `thresholds` by symptom are those that it already has; a run has none.
    """

    name: str
    facts: Mapping[str, str]
    temperatures: Mapping[str, float]
    thresholds: Mapping[str, float]

    def answers(self, records: Sequence[Record], says: str) -> Answers:
        """Raw answers to the pictures of these records; `says` stands beside the progress on standard error."""


def open_subject(folder: Path, device: str = "auto") -> Subject:
    """The run or bundle in this folder. Raises RunInvalid or BundleInvalid where it is neither or does not verify."""
    if (folder / MANIFEST_FILE).is_file():
        return BundleSubject(Bundle.open(folder), device)
    if (folder / RUN_FILE).is_file():
        from ml.training.run import Run

        return RunSubject(Run.open(folder), folder.resolve().name)
    raise RunInvalid(f"{folder} holds neither {RUN_FILE} nor {MANIFEST_FILE}: name the folder of a run or of a bundle.")


class RunSubject:
    """A finished training run."""

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self.name = f"run {name}"
        recipe, spec = run.recipe, run.preprocessing
        self.facts: Mapping[str, str] = {
            "Recipe": recipe.name,
            "Network": f"{recipe.architecture} at {spec.image_size}×{spec.image_size}",
            "Output": run.output,
        }
        self.temperatures: Mapping[str, float] = {}
        self.thresholds: Mapping[str, float] = {}

    def answers(self, records: Sequence[Record], says: str) -> Answers:
        chunks = [
            self._run.outputs(records[start : start + _CHUNK])
            for start in tqdm(
                range(0, len(records), _CHUNK), desc=says, unit_scale=_CHUNK, unit=" pictures", disable=None
            )
        ]
        outputs = np.concatenate(chunks)
        return Answers.of(
            records,
            {
                symptom: Raw(outputs[None, :, column], self._run.output)
                for column, symptom in enumerate(self._run.symptoms)
            },
        )


class BundleSubject:
    """A verified bundle. One network is resident at a time; the gate is no grader and stays out."""

    def __init__(self, bundle: Bundle, device: str = "auto") -> None:
        """Raises DeviceUnavailable."""
        self._bundle = bundle
        self._device = choose_device(device)
        manifest = bundle.manifest
        graders = [model for model in manifest.models if model.key != GATE.key]
        self._passes = sum(model.passes for model in graders)
        self.name = f"bundle {bundle.reference}"
        self.facts: Mapping[str, str] = {
            "Bundle": f"{bundle.reference}{', a demonstration' if bundle.demo else ''}",
            "Graders": ", ".join(sorted({_network(model) for model in graders})),
            "Output": ", ".join(sorted({model.output for model in graders})),
            "Forward passes a photo": str(self._passes),
            "Trained on": manifest.trained_on,
            "Licence": manifest.licence,
        }
        self.temperatures: Mapping[str, float] = {model.key: model.temperature for model in graders}
        self.thresholds: Mapping[str, float] = {model.key: model.threshold for model in graders}

    def answers(self, records: Sequence[Record], says: str) -> Answers:
        """Through the service's own runtime, view by view; its probabilities are turned back into raw outputs."""
        raw = {}
        with tqdm(total=len(records) * self._passes, desc=says, unit=" passes", disable=None) as progress:
            for model, networks in self._bundle.weights():
                if model.key != GATE.key:
                    views = [
                        view for weights in networks for view in self._views(model, weights, records, progress.update)
                    ]
                    raw[model.key] = Raw(np.stack(views), model.output)
        return Answers.of(records, raw)

    def _views(
        self, model: ModelSpec, weights: Weights, records: Sequence[Record], step: Callable[[int], object]
    ) -> list[np.ndarray]:
        """Raw outputs `[n, outputs]` of one network for each of the model's flips."""
        runtime = EagerRuntime(self._device)
        runtime.load(model.model_copy(update={"temperature": 1.0, "flips": "none"}), [weights])
        views: list[list[np.ndarray]] = [[] for _ in VIEWS[model.flips]]
        for batch in batches(records, model.preprocessing):
            for view, flip in zip(views, VIEWS[model.flips], strict=True):
                probabilities = runtime.run(model.key, batch.flip(flip)).probabilities
                view.append(raw_outputs(probabilities, model.output))
                step(len(batch))
        return [np.concatenate(view) for view in views]


def _network(model: ModelSpec) -> str:
    return f"{model.architecture} at {model.image_size}×{model.image_size}"


def raw_outputs(probabilities: np.ndarray, output: Output) -> np.ndarray:
    """Outputs that `ml.outputs.to_probabilities` turns into these `probabilities` `[n, classes]` at temperature 1.

    Of a softmax they are the raw ones less a constant a row, which no temperature makes a difference to.
    """
    known = np.maximum(probabilities.astype(np.float64), _LEAST)
    if output == "softmax":
        return np.log(known).astype(np.float32)
    # P(> k) and P(k) share the factor P(>= k), so their ratio is the odds of the conditional task k.
    above = known[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    odds: np.ndarray = (np.log(above) - np.log(known[:, :-1])).astype(np.float32)
    return odds


def batches(records: Sequence[Record], spec: Preprocessing) -> Iterator[torch.Tensor]:
    """The pictures as float32 `[n, 3, size, size]` by eights, prepared as the service does, decoded ahead by threads.

    Raises DataSetInvalid for a picture that cannot be read.
    """

    def tensor(record: Record) -> torch.Tensor:
        try:
            return prepare(record.read(), (spec,)).tensors[spec]
        except (*UNREADABLE, PhotoUnreadable) as error:
            raise DataSetInvalid(
                f"The picture {record.id} cannot be read: {error}. Mend it or take it away."
            ) from error

    with ThreadPoolExecutor(_DECODERS) as pool:
        coming = iter(records)
        waiting: deque[Future[torch.Tensor]] = deque()
        while True:
            waiting.extend(pool.submit(tensor, record) for record in islice(coming, 2 * _BATCH - len(waiting)))
            if not waiting:
                return
            yield torch.stack([waiting.popleft().result() for _ in range(min(_BATCH, len(waiting)))])

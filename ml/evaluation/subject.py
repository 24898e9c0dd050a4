"""Subjects: what can be evaluated, training runs or a bundle, both giving raw answers to records."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from tqdm import tqdm

from ml.bundle import MANIFEST_FILE, Bundle
from ml.data.files import UNREADABLE
from ml.data.records import Record
from ml.errors import DataSetInvalid, PhotoUnreadable, RunInvalid
from ml.evaluation.answers import Answers, Raw
from ml.labels import GATE, SYMPTOMS
from ml.manifest import VIEWS, ModelSpec
from ml.outputs import Output
from ml.preprocessing import Preprocessing, prepare
from ml.registry import Weights
from ml.runtimes.eager import EagerRuntime, choose_device
from ml.training.run import RUN_FILE, Run

_BATCH = 8
#: Pictures that a run answers between two steps of the progress bar.
_CHUNK = 128
_DECODERS = 4

#: Probabilities are float32: less than this is not told from 0, which has no logarithm.
_LEAST = float(np.finfo(np.float32).tiny)


class Subject(Protocol):
    """Runs or a bundle: `name` for people, `facts` by name for the model card.

    `temperatures` and `thresholds` by symptom are those that it already has; a run has none. `learnt_from` are digests
    (`ml.data.splits.digest`) of the pictures that it was made with, where they are known.
    """

    name: str
    facts: Mapping[str, str]
    temperatures: Mapping[str, float]
    thresholds: Mapping[str, float]
    learnt_from: Collection[str]

    def answers(self, records: Sequence[Record], says: str) -> Answers:
        """Raw answers to the pictures of these records; `says` stands beside the progress on standard error."""


def open_subject(folder: Path, device: str = "auto") -> Subject:
    """The run in this folder, the runs of one symptom each in folders below it by their keys, or the bundle.

    Raises RunInvalid or BundleInvalid where there is none or it does not verify.
    """
    if (folder / MANIFEST_FILE).is_file():
        return BundleSubject(Bundle.open(folder), device)
    folders = [
        each for each in (folder, *(folder / symptom.key for symptom in SYMPTOMS)) if (each / RUN_FILE).is_file()
    ]
    if not folders:
        raise RunInvalid(
            f"{folder} holds neither {RUN_FILE} nor {MANIFEST_FILE}: name the folder of a run, of runs or of a bundle."
        )
    return RunSubject([Run.open(each) for each in folders], folder.resolve().name, device)


class RunSubject:
    """A finished run for all six symptoms, or runs for some of them each."""

    def __init__(self, runs: Sequence[Run], name: str, device: str = "auto") -> None:
        """Raises RunInvalid where two runs answer for one symptom, DeviceUnavailable."""
        self._runs = runs
        self._device = choose_device(device)
        symptoms = [symptom for run in runs for symptom in run.symptoms]
        if twice := {symptom for symptom in symptoms if symptoms.count(symptom) > 1}:
            raise RunInvalid(f"More than one run of {name} answers for {min(twice)}. Take one of them away.")
        self.name = f"run {name}"
        facts = [run.facts for run in runs]
        kind = "synthetic pictures" if all(fact.synthetic for fact in facts) else "pictures"
        self.facts: Mapping[str, str] = {
            "Recipe": _listed(fact.recipe.name for fact in facts),
            "Network": _listed(
                f"{run.recipe.architecture} at {run.preprocessing.image_size}×{run.preprocessing.image_size}, "
                + ("one for each symptom" if len(runs) > 1 else f"heads for {len(run.symptoms)} symptoms")
                for run in runs
            ),
            "Output": _listed(run.output for run in runs),
            "Started from": _listed(fact.started_from for fact in facts),
            "Trained on": _listed(f"{fact.pictures['training']} {kind}" for fact in facts),
            "Training took": f"{sum(fact.seconds for fact in facts):.0f} s on {_listed(fact.device for fact in facts)}",
        }
        self.temperatures: Mapping[str, float] = {}
        self.thresholds: Mapping[str, float] = {}
        self.learnt_from: Collection[str] = {fact.digest for fact in facts}

    def answers(self, records: Sequence[Record], says: str) -> Answers:
        raw = {}
        with tqdm(total=len(records) * len(self._runs), desc=says, unit=" passes", disable=None) as progress:
            for run in self._runs:
                chunks = []
                for start in range(0, len(records), _CHUNK):
                    chunks.append(run.outputs(records[start : start + _CHUNK], self._device))
                    progress.update(len(chunks[-1]))
                outputs = np.concatenate(chunks)
                for column, symptom in enumerate(run.symptoms):
                    raw[symptom] = Raw(outputs[None, :, column], run.output)
        return Answers.of(records, raw)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))


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
            "Graders": _listed(_network(model) for model in graders),
            "Output": _listed(model.output for model in graders),
            "Forward passes a photo": str(self._passes),
            "Trained on": manifest.trained_on,
            "Licence": manifest.licence,
        }
        self.temperatures: Mapping[str, float] = {model.key: model.temperature for model in graders}
        self.thresholds: Mapping[str, float] = {model.key: model.threshold for model in graders}
        self.learnt_from: Collection[str] = ()

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

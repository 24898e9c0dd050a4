"""Subjects: what can be evaluated, training runs or a bundle, both giving raw answers to records."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ml.bundle import MANIFEST_FILE, Bundle
from ml.data.files import UNREADABLE
from ml.data.records import Record
from ml.errors import DataSetInvalid, PhotoUnreadable, RunInvalid
from ml.evaluation.answers import Answers, Raw
from ml.labels import GATE, SYMPTOMS
from ml.manifest import VIEWS, ModelSpec
from ml.preprocessing import Preprocessing, prepare
from ml.registry import Weights, describe
from ml.runtimes.eager import EagerRuntime, choose_device
from ml.training.run import RUN_FILE, Run

_BATCH = 8
#: Pictures that a run answers between two steps of the progress bar.
_CHUNK = 128
_DECODERS = 4


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
        """Through the service's own runtime, view by view. Graders on one trunk have it look at each picture once."""
        raw = {}
        looked: _Looked | None = None
        with tqdm(total=len(records) * self._passes, desc=says, unit=" passes", disable=None) as progress:
            for model, networks in self._bundle.weights():
                if model.key == GATE.key:
                    continue
                views = []
                for weights in networks:
                    if looked is None or not looked.serves(model, weights):
                        looked = _Looked(model, weights, self._features(model, weights, records, progress.update))
                    else:
                        progress.update(len(records) * len(looked.views))
                    views += looked.outputs(weights)
                raw[model.key] = Raw(np.stack(views), model.output)
        return Answers.of(records, raw)

    def _features(
        self, model: ModelSpec, weights: Weights, records: Sequence[Record], step: Callable[[int], object]
    ) -> list[torch.Tensor]:
        """Pooled features `[n, width]` by one network for each of the model's flips."""
        runtime = EagerRuntime(self._device)
        runtime.load(model.model_copy(update={"flips": "none"}), [weights])
        views: list[list[torch.Tensor]] = [[] for _ in VIEWS[model.flips]]
        for batch in batches(records, model.preprocessing):
            for view, flip in zip(views, VIEWS[model.flips], strict=True):
                features = runtime.run(model.key, batch.flip(flip), features=True).features
                assert features is not None, "They were asked for."
                view.append(torch.from_numpy(features))
                step(len(batch))
        return [torch.cat(view) for view in views]


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a trunk saw: features `[n, width]` of all pictures, a tensor for each of the model's flips."""

    model: ModelSpec
    weights: Weights
    views: list[torch.Tensor]

    def serves(self, model: ModelSpec, weights: Weights) -> bool:
        """Whether this model would see the same: the same input, and the very same tensors below its last layer."""
        alike = all(
            getattr(model, name) == getattr(self.model, name)
            for name in ("architecture", "preprocessing", "padding_size", "flips")
        )
        head = f"{describe(model.architecture).head}."
        return alike and all(
            tensor is self.weights[name] for name, tensor in weights.items() if not name.startswith(head)
        )

    def outputs(self, weights: Weights) -> list[np.ndarray]:
        """Raw outputs `[n, outputs]` of the last layer of these weights, for each view."""
        head = describe(self.model.architecture).head
        weight, bias = weights[f"{head}.weight"], weights[f"{head}.bias"]
        return [functional.linear(view, weight, bias).numpy() for view in self.views]


def _network(model: ModelSpec) -> str:
    return f"{model.architecture} at {model.image_size}×{model.image_size}"


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

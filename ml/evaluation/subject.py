"""Subjects of an evaluation: training runs or a bundle. Both return raw answers for records."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from tqdm import tqdm

from ml.bundle import MANIFEST_FILE, Bundle
from ml.bundle.manifest import ModelSpec
from ml.data.files import UNREADABLE
from ml.data.records import Record
from ml.errors import DataSetInvalid, PhotoUnreadable, RunInvalid
from ml.evaluation.answers import Answers, Raw
from ml.labels import GATE, SYMPTOM_KEYS
from ml.levels import Levels
from ml.preprocessing import Preprocessing, prepare
from ml.runtimes.choice import open_runtime
from ml.runtimes.device import choose_device
from ml.runtimes.resident import ResidentModels
from ml.training.run import RUN_FILE, Run

_BATCH = 8
#: Pictures between two updates of the progress bar.
_CHUNK = 128
_DECODERS = 4


class Subject(Protocol):
    """Runs or a bundle: `name` for people, `facts` by name for the model card.

    `temperatures`, `levels` and `thresholds` by symptom are those of a bundle; a run has none. `learned_from` are
    digests (`ml.data.splits.digest`) of the pictures that it was trained on, if they are known.
    """

    name: str
    facts: Mapping[str, str]
    temperatures: Mapping[str, float]
    levels: Mapping[str, Levels]
    thresholds: Mapping[str, float]
    learned_from: Collection[str]

    def answers(self, records: Sequence[Record], says: str) -> Answers:
        """Raw answers for the pictures of these records; `says` is the label of the progress bar."""


def open_subject(folder: Path, device: str = "auto") -> Subject:
    """The run in this folder, the runs in its subfolders named after symptoms, or the bundle.

    Raises RunInvalid or BundleInvalid if there is none or it does not verify.
    """
    if (folder / MANIFEST_FILE).is_file():
        return BundleSubject(Bundle.open(folder), device)
    folders = [each for each in (folder, *(folder / key for key in SYMPTOM_KEYS)) if (each / RUN_FILE).is_file()]
    if not folders:
        raise RunInvalid(
            f"{folder} has neither {RUN_FILE} nor {MANIFEST_FILE}: name the folder of a run, of runs or of a bundle."
        )
    return RunSubject([Run.open(each) for each in folders], folder.resolve().name, device)


class RunSubject:
    """A finished run for all six symptoms, or several runs for some of them."""

    def __init__(self, runs: Sequence[Run], name: str, device: str = "auto") -> None:
        """Raises RunInvalid if two runs answer for the same symptom, and DeviceUnavailable."""
        self._runs = runs
        self._device = choose_device(device)
        symptoms = [symptom for run in runs for symptom in run.symptoms]
        if twice := {symptom for symptom in symptoms if symptoms.count(symptom) > 1}:
            raise RunInvalid(f"More than one run of {name} answers for {min(twice)}. Remove one of them.")
        self.name = f"run {name}"
        facts = [run.facts for run in runs]
        kind = "synthetic pictures" if all(fact.synthetic for fact in facts) else "pictures"
        self.facts: Mapping[str, str] = {
            "Recipe": _join(fact.recipe.name for fact in facts),
            "Network": _join(
                f"{run.recipe.architecture} at {run.preprocessing.image_size}×{run.preprocessing.image_size}, "
                + ("one for each symptom" if len(runs) > 1 else f"heads for {len(run.symptoms)} symptoms")
                for run in runs
            ),
            "Output": _join(run.output for run in runs),
            "Started from": _join(fact.started_from for fact in facts),
            "Trained on": _join(f"{fact.pictures['training']} {kind}" for fact in facts),
            "Training took": f"{sum(fact.seconds for fact in facts):.0f} s on {_join(fact.device for fact in facts)}",
        }
        self.temperatures: Mapping[str, float] = {}
        self.levels: Mapping[str, Levels] = {}
        self.thresholds: Mapping[str, float] = {}
        self.learned_from: Collection[str] = {fact.digest for fact in facts}

    def answers(self, records: Sequence[Record], says: str) -> Answers:
        """The raw outputs of the runs to the pictures of `records`; `says` labels the progress bar."""
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


def _join(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))


class BundleSubject:
    """A verified bundle, without its gate."""

    def __init__(self, bundle: Bundle, device: str = "auto", runtime: str = "auto") -> None:
        """Raises DeviceUnavailable."""
        self._bundle = bundle
        self._runtime = runtime
        self._device = choose_device(device)
        manifest = bundle.manifest
        graders = [model for model in manifest.models if model.key != GATE.key]
        self._passes = sum(model.passes for model in graders)
        self.name = f"bundle {bundle.reference}"
        self.facts: Mapping[str, str] = {
            "Bundle": f"{bundle.reference}{', a demonstration' if bundle.demo else ''}",
            "Graders": _join(_network(model) for model in graders),
            "Output": _join(model.output for model in graders),
            "Forward passes per photo": str(self._passes),
            "Trained on": manifest.trained_on,
            "License": manifest.licence,
        }
        self.temperatures: Mapping[str, float] = {model.key: model.temperature for model in graders}
        self.levels: Mapping[str, Levels] = {model.key: model.levels for model in graders if model.levels is not None}
        self.thresholds: Mapping[str, float] = {model.key: model.threshold for model in graders}
        self.learned_from: Collection[str] = ()

    def answers(self, records: Sequence[Record], says: str) -> Answers:
        """Answers through the runtime that the service would use on this machine."""
        models = ResidentModels(open_runtime(self._runtime, self._device))
        graders = []
        for model, networks in self._bundle.networks():
            if model.key != GATE.key:
                models.load(model, networks)
                graders.append(model)
        outputs: dict[str, list[np.ndarray]] = {model.key: [] for model in graders}
        with tqdm(total=len(records), desc=says, unit=" pictures", disable=None) as progress:
            for photos in batches(records, {model.preprocessing for model in graders}):
                for model in graders:
                    outputs[model.key].append(models.run(model.key, photos[model.preprocessing]).outputs)
                progress.update(len(next(iter(photos.values()))))
        raw = {model.key: Raw(np.concatenate(outputs[model.key], axis=1), model.output) for model in graders}
        return Answers.of(records, raw)


def _network(model: ModelSpec) -> str:
    return f"{model.architecture} at {model.image_size}×{model.image_size}"


def batches(
    records: Sequence[Record], specifications: Collection[Preprocessing]
) -> Iterator[dict[Preprocessing, torch.Tensor]]:
    """The pictures as float32 `[n, 3, size, size]`, eight at a time, prepared as in the service and decoded by threads.

    Raises DataSetInvalid for a picture that cannot be read.
    """

    def tensors(record: Record) -> Mapping[Preprocessing, torch.Tensor]:
        try:
            return prepare(record.read(), specifications).tensors
        except (*UNREADABLE, PhotoUnreadable) as error:
            raise DataSetInvalid(f"The picture {record.id} cannot be read: {error}. Repair or remove it.") from error

    with ThreadPoolExecutor(_DECODERS) as pool:
        coming = iter(records)
        waiting: deque[Future[Mapping[Preprocessing, torch.Tensor]]] = deque()
        while True:
            waiting.extend(pool.submit(tensors, record) for record in islice(coming, 2 * _BATCH - len(waiting)))
            if not waiting:
                return
            made = [waiting.popleft().result() for _ in range(min(_BATCH, len(waiting)))]
            yield {spec: torch.stack([photo[spec] for photo in made]) for spec in specifications}

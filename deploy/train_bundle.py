"""Trains a bundle from a labelled data set: inspect, split, train, evaluate, fit the gate, build, adapt."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

#: Trained on a CPU or a GPU alike: lite0 with six heads, grown into seven B7.
RECIPE = "grown-b7-300"
LICENCE = "The operator who trained it decides; the terms of the data set apply."

#: What `--quick` takes in place of the recipe's epochs, all pictures, and 800 scalps for the gate.
_QUICK = {"epochs": 1, "pictures": 200, "gate_count": 100}


@dataclass(frozen=True, slots=True)
class Step:
    """One command of `python -m ml`."""

    name: str
    words: tuple[str, ...]

    def run(self) -> float:
        """Run it and return its seconds. Raises StepFailed."""
        print(f"\n$ python -m ml {shlex.join(self.words)}", flush=True)
        started = time.perf_counter()
        code = subprocess.run([sys.executable, "-m", "ml", *self.words]).returncode
        if code:
            raise StepFailed(f"The step {self.name!r} failed with code {code}. What it says is above.")
        return time.perf_counter() - started


class StepFailed(Exception):
    """A step did not end well."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    seconds: dict[str, float] = {}
    try:
        for step in plan(options):
            seconds[step.name] = step.run()
            # After the first step, which only reads: nothing is written where there is no data set.
            options.out.mkdir(parents=True, exist_ok=True)
    except StepFailed as failed:
        print(f"\n{failed}\nThe same command goes on with a training that was interrupted.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    table = times(options, seconds)
    (options.out / "times.md").write_text(table, encoding="utf-8")
    bundle = options.out / ("adapted" if options.photos else "bundle")
    print(f"\n{table}\n{options.out / 'times.md'}: written")
    if not options.photos:
        print("Not adapted: with --photos FOLDER, unlabelled photographs of the scope in use, it is.")
    print(f"\nStart the service with it:\n\n    SCALP_BUNDLE={shlex.quote(str(bundle.resolve()))} make run")
    return 0


def plan(options: argparse.Namespace) -> list[Step]:
    """The steps in their order."""
    data, out = str(options.data), options.out
    split, run, gate, bundle = (str(out / name) for name in ("split.json", "run", "gate", "bundle"))
    synthetic = (options.data / "SYNTHETIC.txt").is_file()
    trained_on = options.trained_on or (
        f"{'Synthetic pictures' if synthetic else 'Pictures'} of the data set {options.data.resolve().name}, "
        f"by the recipe {Path(options.recipe).stem}."
    )
    device = ("--device", options.device)
    steps = [
        Step("inspect", ("data", "inspect", data)),
        Step("split", ("data", "split", data, "--out", split, *_given(options, "seed"))),
        Step(
            "train",
            (
                *("train", data, "--split", split, "--recipe", options.recipe, "--out", run, *device),
                *_given(options, "epochs", "batch", "pictures", "workers", "seed"),
                *(_given(options, "photos", "marks") if options.marks else ()),
                *(("--compile",) if options.compile else ()),
            ),
        ),
        Step("evaluate", ("evaluate", run, data, "--split", split, *device)),
        Step(
            "gate fit",
            (
                *("gate", "fit", data, "--out", gate, *_given(options, "negatives", "far", "seed")),
                *(("--count", str(options.gate_count)) if options.gate_count else ()),
            ),
        ),
        Step(
            "bundle build",
            (
                *("bundle", "build", "--run", run, "--gate", gate, "--out", bundle, "--name", options.name),
                *("--version", options.version, "--licence", options.licence, "--trained-on", trained_on),
                *(("--demo",) if synthetic else ()),
            ),
        ),
    ]
    if options.photos:
        adapt = ("bundle", "adapt", bundle, str(options.photos), "--out", str(out / "adapted"), *device)
        steps.append(Step("bundle adapt", (*adapt, *_given(options, "shares"))))
    return steps


def _given(options: argparse.Namespace, *names: str) -> tuple[str, ...]:
    """The options of these names that were given, as words for a command that has the same ones."""
    given = ((name, getattr(options, name)) for name in names)
    return tuple(word for name, value in given if value is not None for word in (f"--{name}", str(value)))


def times(options: argparse.Namespace, seconds: dict[str, float]) -> str:
    """A Markdown table of the seconds of each step, here and, where training had no GPU, as estimated for one."""
    from ml.build.from_runs import open_graders
    from ml.data.aihub import read_aihub
    from ml.data.splits import Split
    from ml.evaluation.calibration import CALIBRATION_FILE
    from ml.evaluation.results import EVALUATION_FILE, EVALUATION_FOLDER
    from ml.training.estimate import Gpu, answering_seconds, measure_loading, training_seconds

    runs = {run.folder: run for grader in open_graders([options.out / "run"]) for run in grader.runs}
    facts = [run.facts for run in runs.values()]
    trained_seconds = sum(fact.seconds for fact in facts)
    # An interrupted training counts with all its parts.
    seconds = {**seconds, "train": max(seconds["train"], trained_seconds)}
    here = facts[0].device if facts[0].device != "cpu" else f"{os.cpu_count()} cores"
    pictures = facts[0].pictures
    trained = f"{facts[0].recipe.name}, {len(facts[0].history)} epochs of {pictures['training']} pictures"
    if facts[0].device != "cpu":
        rows = "".join(f"| {name} | {spent:.0f} |\n" for name, spent in seconds.items())
        total = sum(seconds.values())
        return f"{trained}.\n\n| step | seconds, {here} |\n|---|--:|\n{rows}| **all** | {total:.0f} |\n"
    gpu = Gpu(options.gpu_tflops, options.gpu_loaders)
    records = read_aihub(options.data, partial_labels=True, check_pictures=False).records
    parts = Split.load(options.out / "split.json").divide(records)
    rate = measure_loading([r for r in parts["training"] if r.fully_labelled], facts[0].recipe, facts[0].symptoms)
    folder = options.out / "run" / EVALUATION_FOLDER
    answered = sum(
        int(json.loads((folder / name).read_text(encoding="utf-8"))["pictures"])
        for name in (EVALUATION_FILE, CALIBRATION_FILE)
    )
    estimated = dict(seconds)
    # What starts, reads and writes is the same with a GPU; only what the networks take is another time.
    estimated["train"] += sum(training_seconds(fact, rate, gpu) for fact in facts) - trained_seconds
    estimated["evaluate"] = min(
        seconds["evaluate"], sum(answering_seconds(fact, answered, rate, gpu) for fact in facts)
    )
    rows = "".join(f"| {name} | {spent:.0f} | {estimated[name]:.0f} |\n" for name, spent in seconds.items())
    return (
        f"{trained}.\n\n"
        f"| step | seconds, {here} | seconds, one GPU, estimated |\n|---|--:|--:|\n{rows}"
        f"| **all** | {sum(seconds.values()):.0f} | {sum(estimated.values()):.0f} |\n\n"
        f"The last column is an estimate and was not measured. It assumes a GPU that {gpu}; one of them loads "
        f"{rate:.0f} pictures per second, measured here. Only `train` and `evaluate` are estimated, from the "
        "operations of the networks, a training step as three forward passes; the other steps are taken to last as "
        "long as here.\n"
    )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, those of a quick trial filled in."""
    parser = argparse.ArgumentParser(
        prog="deploy/train-bundle",
        description="From a labelled data set in the layout of AI Hub's scalp set (dataSetSn 216) to a bundle that the "
        "service can use: inspect, split, train, evaluate, fit the gate, build, and adapt to photographs without "
        "labels. Prints each command before it runs, and at the end how long each took.",
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of the data set, of zips or of folders")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for the split, the run, the gate and the bundle")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="photographs of the scope in use, to adapt to")
    parser.add_argument("--marks", type=Path, metavar="CSV", help="what is marked on them, to learn to rank them by")
    parser.add_argument("--shares", type=Path, metavar="FILE", help="expected shares of the grades, for `bundle adapt`")
    parser.add_argument("--negatives", type=Path, metavar="FOLDER", help="photographs without scalps, for the gate")
    parser.add_argument("--far", type=Path, metavar="FOLDER", help="heads from too far away, for the gate")
    parser.add_argument("--recipe", default=RECIPE, help="a recipe's name, or a .toml file (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a trial: one epoch of 200 pictures, a gate of 100")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--batch", type=int, help="instead of the recipe's")
    parser.add_argument("--pictures", type=int, help="train on this many pictures only")
    parser.add_argument("--gate-count", type=int, help="pictures of each outcome to fit the gate on")
    parser.add_argument("--workers", type=int, help="processes that load pictures")
    parser.add_argument("--compile", action="store_true", help="let torch compile the network; pays off after minutes")
    parser.add_argument("--seed", type=int, help="of split, training and gate")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--name", default="own", help="of the bundle (default: %(default)s)")
    parser.add_argument("--version", default="1.0.0", help="of the bundle (default: %(default)s)")
    parser.add_argument("--licence", default=LICENCE, help="who may use the weights (default: %(default)s)")
    parser.add_argument("--trained-on", help="what the models learned from, in a sentence (default: data and recipe)")
    parser.add_argument(
        "--gpu-tflops", type=float, default=10.0, help="assumed for the estimate for one GPU (default: %(default)s)"
    )
    parser.add_argument(
        "--gpu-loaders", type=int, default=8, help="processes that load pictures for it (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    if options.marks and not options.photos:
        parser.error("--marks needs --photos: the photographs that the marks are on")
    for name, value in _QUICK.items() if options.quick else ():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


if __name__ == "__main__":
    sys.exit(main())

"""Trains a bundle from a labeled data set: inspect, split, train, evaluate, fit the gate, build, adapt."""

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

#: Practical on a CPU as well as on a GPU: one lite0 with six heads, grown into seven B7.
RECIPE = "grown-b7-300"
LICENSE = "The operator who trained it decides; the terms of the data set apply."

#: `--quick` replaces the recipe's epochs, all pictures, and 800 scalps for the gate with these.
_QUICK = {"epochs": 1, "pictures": 200, "gate_count": 100}


@dataclass(frozen=True, slots=True)
class Step:
    """One command of `python -m ml`."""

    name: str
    words: tuple[str, ...]

    def run(self) -> float:
        """Runs the step and returns its seconds. Raises StepFailed."""
        print(f"\n$ python -m ml {shlex.join(self.words)}", flush=True)
        started = time.perf_counter()
        code = subprocess.run([sys.executable, "-m", "ml", *self.words]).returncode
        if code:
            raise StepFailed(f"The step {self.name!r} failed with exit status {code}; see its output above.")
        return time.perf_counter() - started


class StepFailed(Exception):
    """A step ended with an error."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    seconds: dict[str, float] = {}
    try:
        for step in plan(options):
            seconds[step.name] = step.run()
            # Only after the first step, which just reads: without a data set, nothing is written.
            options.out.mkdir(parents=True, exist_ok=True)
    except StepFailed as failed:
        print(f"\n{failed}\nRun the same command again to resume an interrupted training.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    table = times(options, seconds)
    (options.out / "times.md").write_text(table, encoding="utf-8")
    bundle = options.out / ("adapted" if options.photos else "bundle")
    print(f"\n{table}\n{options.out / 'times.md'}: written")
    if not options.photos:
        print("Not adapted. To adapt it, pass --photos FOLDER with unlabeled photographs from your scope.")
    print(f"\nStart the service with it:\n\n    SCALP_BUNDLE={shlex.quote(str(bundle.resolve()))} make run")
    return 0


def plan(options: argparse.Namespace) -> list[Step]:
    """The steps in order."""
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
        Step("split", ("data", "split", data, "--out", split, *_pass_on(options, "seed"))),
        Step(
            "train",
            (
                *("train", data, "--split", split, "--recipe", options.recipe, "--out", run, *device),
                *_pass_on(options, "epochs", "batch", "pictures", "workers", "seed"),
                *(_pass_on(options, "photos", "marks") if options.marks else ()),
                *(("--compile",) if options.compile else ()),
            ),
        ),
        Step("evaluate", ("evaluate", run, data, "--split", split, *device)),
        Step(
            "gate fit",
            (
                *("gate", "fit", data, "--out", gate, *_pass_on(options, "negatives", "far", "seed")),
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
        steps.append(Step("bundle adapt", (*adapt, *_pass_on(options, "shares"))))
    return steps


def _pass_on(options: argparse.Namespace, *names: str) -> tuple[str, ...]:
    """The named options that were given, as arguments for a command with the same options."""
    given = ((name, getattr(options, name)) for name in names)
    return tuple(word for name, value in given if value is not None for word in (f"--{name}", str(value)))


def times(options: argparse.Namespace, seconds: dict[str, float]) -> str:
    """A Markdown table of the seconds per step, measured and, if training had no GPU, estimated for one."""
    from ml.build.from_runs import open_graders
    from ml.data.aihub import read_aihub
    from ml.data.splits import Split
    from ml.evaluation.calibration import CALIBRATION_FILE
    from ml.evaluation.results import EVALUATION_FILE, EVALUATION_FOLDER
    from ml.training.estimate import Gpu, answering_seconds, measure_loading, training_seconds

    runs = {run.folder: run for grader in open_graders([options.out / "run"]) for run in grader.runs}
    facts = [run.facts for run in runs.values()]
    trained_seconds = sum(fact.seconds for fact in facts)
    # A resumed training counts with all its runs.
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
    rate = measure_loading([r for r in parts["training"] if r.fully_labeled], facts[0].recipe, facts[0].symptoms)
    folder = options.out / "run" / EVALUATION_FOLDER
    answered = sum(
        int(json.loads((folder / name).read_text(encoding="utf-8"))["pictures"])
        for name in (EVALUATION_FILE, CALIBRATION_FILE)
    )
    estimated = dict(seconds)
    # A GPU changes only the time of the networks, not that of starting, reading and writing.
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
        "operations of the networks, with a training step as three forward passes; the other steps are assumed to take "
        "as long as here.\n"
    )


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parses the options and fills in those of a quick trial."""
    parser = argparse.ArgumentParser(
        prog="deploy/train-bundle",
        description="Turns a labeled data set in the layout of AI Hub's scalp data set (dataSetSn 216) into a bundle "
        "that the service can use: inspect, split, train, evaluate, fit the gate, build, and adapt to unlabeled "
        "photographs. Prints each command before it runs, and at the end the time that each took.",
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="the data set: a folder of zip files or of folders")
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for the split, the run, the gate and the bundle")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="unlabeled photographs of your scope to adapt to")
    parser.add_argument("--marks", type=Path, metavar="CSV", help="what is marked on them, to learn to rank them by")
    parser.add_argument("--shares", type=Path, metavar="FILE", help="expected shares of the grades, for `bundle adapt`")
    parser.add_argument("--negatives", type=Path, metavar="FOLDER", help="photographs without scalps, for the gate")
    parser.add_argument("--far", type=Path, metavar="FOLDER", help="heads photographed from too far, for the gate")
    parser.add_argument("--recipe", default=RECIPE, help="a recipe's name, or a .toml file (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a trial: one epoch of 200 pictures, a gate of 100")
    parser.add_argument("--epochs", type=int, help="number of epochs (default: the recipe's)")
    parser.add_argument("--batch", type=int, help="batch size (default: the recipe's)")
    parser.add_argument("--pictures", type=int, help="train on this many pictures only")
    parser.add_argument("--gate-count", type=int, help="number of pictures per outcome to fit the gate on")
    parser.add_argument("--workers", type=int, help="number of processes that load pictures")
    parser.add_argument("--compile", action="store_true", help="use torch.compile; pays off after some minutes")
    parser.add_argument("--seed", type=int, help="random seed of split, training and gate")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--name", default="own", help="name of the bundle (default: %(default)s)")
    parser.add_argument("--version", default="1.0.0", help="version of the bundle (default: %(default)s)")
    parser.add_argument("--licence", default=LICENSE, help="who may use the weights (default: %(default)s)")
    parser.add_argument("--trained-on", help="what the models learned from, in a sentence (default: data and recipe)")
    parser.add_argument(
        "--gpu-tflops", type=float, default=10.0, help="TFLOPS of the GPU in the estimate (default: %(default)s)"
    )
    parser.add_argument(
        "--gpu-loaders", type=int, default=8, help="processes that load pictures for that GPU (default: %(default)s)"
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

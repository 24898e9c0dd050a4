"""Run a benchmark from its options to its report, for `python -m ml bench` and `make bench`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ml.bench.contenders import Eager, Ours
from ml.bench.difference import Difference
from ml.bench.host import Host
from ml.bench.lines import BenchmarkLine
from ml.bench.machine import describe_machine, heading
from ml.bench.photos import synthetic_photos
from ml.bench.rounds import Rounds, rows
from ml.bench.table import BenchmarkRow, text
from ml.bench.weights import Weights, open_weights
from ml.errors import MLError
from ml.runtimes.device import choose_device

#: About fifteen minutes with all lines on two cores; a GPU needs more photos to be busy.
DEFAULT_PHOTOS = {"cpu": 16, "cuda": 256}
DEFAULT_ROUNDS = {"cpu": 4, "cuda": 6}


class NothingToMeasure(MLError):
    """None of the requested lines exists on this device."""


@dataclass(frozen=True)
class BenchmarkReport:
    """The results and conditions. `text()` is for people, `fields()` for programs."""

    machine: dict[str, Any]
    options: dict[str, Any]
    gflop_a_photo: float
    rows: list[BenchmarkRow]
    rounds: dict[str, list[float]]
    failures: dict[str, str]
    largest_batch: str = ""

    @property
    def faults(self) -> list[str]:
        """A sentence for each line that failed or computed something else."""
        other = [
            f"{row.name} differs from resident eager by {fault}: it computes something else."
            for row in self.rows
            if row.difference is not None
            and (fault := Difference(row.difference, row.difference_share).fault(self._numbers(row.precision)))
        ]
        return [*(f"{name} failed: {cause}" for name, cause in self.failures.items()), *other]

    def _numbers(self, precision: str) -> str:
        return "tensorfloat32" if precision == "float32" and self.machine["device"] != "cpu" else precision

    def text(self) -> str:
        """The report as a text with a table."""
        asked = f"{self.options['rounds']} interleaved rounds of {self.options['photos']} photos; medians over rounds"
        parts = [heading(self.machine), asked, "", text(self.rows), self.largest_batch, *self.faults]
        return "\n".join(parts).rstrip()

    def fields(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {**asdict(self), "faults": self.faults}


def hand_over(whole: dict[str, Any], text: str, options: argparse.Namespace) -> int:
    """Write the file of the options, print the text or the JSON, and return the exit code: 1 if there are faults."""
    document = json.dumps(whole, indent=2, ensure_ascii=False)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(document + "\n", encoding="utf-8")
    print(document if options.json else text)  # noqa: T201
    return 1 if whole.get("faults") else 0


def measure(
    options: argparse.Namespace, make_lines: Callable[[Weights], Sequence[BenchmarkLine]], packages: Sequence[str] = ()
) -> BenchmarkReport:
    """Run the benchmark with these options. Raises MLError."""
    kind = "cuda" if choose_device(options.device).startswith("cuda") else "cpu"
    rounds, photos = options.rounds or DEFAULT_ROUNDS[kind], synthetic_photos(options.photos or DEFAULT_PHOTOS[kind])
    weights = open_weights(options.work, options.architecture, options.image_size)
    machine = describe_machine(options.device, weights.bundle, packages)
    lines = [line for line in make_lines(weights) if not options.only or line.name in options.only]
    if not lines:
        raise NothingToMeasure(f"None of {', '.join(options.only)} can be measured on this device.")
    references = _references(lines, photos, weights, options.device)
    limit = not options.only or "limit" in options.only
    measured = Rounds(lines, photos, options.device, limit=limit)
    try:
        held = measured.run(rounds, references)
        results = measured.results
        made = rows(held, results, weights.gflop_a_photo)
    finally:
        measured.stop()
    return BenchmarkReport(
        machine=machine,
        options={"rounds": rounds, "photos": len(photos), "only": options.only},
        gflop_a_photo=weights.gflop_a_photo,
        rows=made,
        rounds={name: [len(taken.latencies) / taken.seconds for taken in each] for name, each in results.taken.items()},
        failures=results.failures,
        largest_batch=_largest_batch(weights, options.device, kind) if options.largest_batch else "",
    )


def _references(
    lines: Sequence[BenchmarkLine], photos: Sequence[bytes], weights: Weights, device: str
) -> dict[str, np.ndarray]:
    """The answers of resident eager float32 for the inputs of each line, by the line's name."""
    eager = Host(Eager, weights.bundle.folder, weights.state_dicts, device)
    eager.start()
    try:
        answers: dict[tuple[bytes, ...], np.ndarray] = {}
        references = {}
        for line in lines:
            seen = tuple(line.seen(photo) for photo in photos)
            if seen not in answers:
                answers[seen] = eager.call("timed", seen, 1).probabilities
            references[line.name] = answers[seen]
        return references
    finally:
        eager.stop()


def _largest_batch(weights: Weights, device: str, kind: str) -> str:
    if kind == "cpu":
        return "largest batch: not measured on a CPU, which would swap instead of refusing."
    host = Host(Ours, weights.bundle.folder, device)
    host.start()
    try:
        batch, seconds = host.call("largest_batch")
    finally:
        host.stop()
    return f"largest batch: {batch} photos at once fit, in {seconds:.2f} s, {batch / seconds:.0f} photos/s."

"""Interleaved rounds: each runs every line once on the same photos, in rotating order.

A temporary slowdown of the machine affects neighboring lines alike, so ratios are computed within a round, and reported
as the median over the rounds.
"""

from __future__ import annotations

import logging
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ml.bench.contenders import Taken
from ml.bench.difference import Difference
from ml.bench.host import Host
from ml.bench.limit import MatrixProduct
from ml.bench.lines import BenchmarkLine
from ml.bench.table import BenchmarkRow
from ml.errors import MLError

logger = logging.getLogger(__name__)

WARM_UP_PHOTOS = 8


@dataclass
class Results:
    """The results: one `Taken` per round for each line, by name, and GFLOP/s of the limit by precision."""

    taken: dict[str, list[Taken]] = field(default_factory=dict)
    limits: dict[str, list[float]] = field(default_factory=dict)
    differences: dict[str, Difference] = field(default_factory=dict)  #: the worst of the rounds
    failures: dict[str, str] = field(default_factory=dict)


class Rounds:
    """Starts the lines, measures them in rounds and stops them. A line that fails is dropped."""

    def __init__(
        self, lines: Sequence[BenchmarkLine], photos: Sequence[bytes], device: str, *, limit: bool = True
    ) -> None:
        self.photos = photos
        self.results = Results()
        self._lines = list(lines)
        self._device = device
        self._limit = Host(MatrixProduct, device) if limit else None

    def run(self, rounds: int, references: Mapping[str, np.ndarray]) -> list[BenchmarkLine]:
        """Fill `results` and return the lines that did not fail.

        `references` are the expected probabilities `[photos, 6, 4]` by the line's name.
        """
        for line in list(self._lines):
            logger.info("starting %s", line.name)
            self._try(line, partial(self._start, line))
        if self._limit is not None:
            self._limit.start()
        for number in range(rounds):
            logger.info("round %d of %d", number + 1, rounds)
            self._measure_limit()
            turn = number % max(len(self._lines), 1)
            for line in [*self._lines[turn:], *self._lines[:turn]]:
                self._try(line, partial(self._measure, line, references[line.name]))
        return self._lines

    def stop(self) -> None:
        """Stop every line."""
        for line in self._lines:
            line.stop()
        if self._limit is not None:
            self._limit.stop()

    def _start(self, line: BenchmarkLine) -> None:
        line.start()
        line.measure(self.photos[: min(line.at_most or WARM_UP_PHOTOS, WARM_UP_PHOTOS)])

    def _measure(self, line: BenchmarkLine, reference: np.ndarray) -> None:
        photos = self.photos[: line.at_most]
        taken = line.measure(photos)
        self.results.taken.setdefault(line.name, []).append(taken)
        difference = Difference.between(taken.probabilities, reference[: len(photos)])
        known = self.results.differences.get(line.name, difference)
        self.results.differences[line.name] = known.worst(difference)
        logger.info("  %-18s %7.3f photos/s", line.name, len(taken.latencies) / taken.seconds)

    def _measure_limit(self) -> None:
        if self._limit is not None:
            for precision in sorted({line.precision for line in self._lines}):
                reached = self._limit.call("gflops", precision)
                self.results.limits.setdefault(precision, []).append(reached)

    def _try(self, line: BenchmarkLine, step: Callable[[], None]) -> None:
        try:
            step()
        except (MLError, OSError) as error:
            logger.warning("  %s failed: %s", line.name, error)
            self.results.failures[line.name] = str(error)
            self.results.taken.pop(line.name, None)
            self._lines.remove(line)
            line.stop()


def rows(lines: Sequence[BenchmarkLine], results: Results, gflop_a_photo: float) -> list[BenchmarkRow]:
    """The table: a row per line, and one for the limit in each precision of a line."""
    speeds = {name: [len(taken.latencies) / taken.seconds for taken in each] for name, each in results.taken.items()}
    ours = [line.name for line in lines if line.ours]
    made = [_row(line, results, speeds, ours, gflop_a_photo) for line in lines]
    for precision, reached in results.limits.items():
        photos = [gflops / gflop_a_photo for gflops in reached]
        made.append(
            BenchmarkRow(
                name="limit",
                what=f"a large matrix product alone, {statistics.median(reached):,.0f} GFLOP/s, "
                f"at {gflop_a_photo:.1f} GFLOP per photo",
                precision=precision,
                photos_per_second=statistics.median(photos),
                times_as_fast={name: _median_ratio(speeds[name], photos) for name in ours},
                share_of_limit=1.0,
            )
        )
    return made


def _row(
    line: BenchmarkLine, results: Results, speeds: dict[str, list[float]], ours: Sequence[str], gflop_a_photo: float
) -> BenchmarkRow:
    taken = results.taken[line.name]
    p50, p95, p99 = np.percentile([latency for each in taken for latency in each.latencies], (50, 95, 99)).tolist()
    limit = results.limits.get(line.precision)
    client = [each.client_cores for each in taken if each.client_cores is not None]
    notes = [line.note, f"load generator {statistics.median(client):.0%} of a core" if client else ""]
    return BenchmarkRow(
        name=line.name,
        what=line.what,
        precision=line.precision,
        photos_per_second=statistics.median(speeds[line.name]),
        p50=p50,
        p95=p95,
        p99=p99,
        times_as_fast={name: _median_ratio(speeds[name], speeds[line.name]) for name in ours},
        peak_memory=line.peak_memory(),
        difference=results.differences[line.name].largest,
        difference_share=results.differences[line.name].share,
        share_of_limit=_median_ratio(speeds[line.name], limit) * gflop_a_photo if limit else None,
        note="; ".join(filter(None, notes)),
    )


def _median_ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))

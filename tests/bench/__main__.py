"""`make bench`: every line of `python -m ml bench`, and LitServe, mosec and the whole service over HTTP.

python -m tests.bench [--only LINE…] [--rounds N] [--photos N] [--json]
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml.bench.lines import BenchmarkLine, inference_lines
from ml.bench.options import INFERENCE_LINES, add_options
from ml.bench.report import hand_over, measure
from ml.bench.weights import Weights
from ml.errors import MLError
from ml.runtimes.device import choose_device
from tests.bench.peers.lines import LitServe, Mosec, Way
from tests.bench.whole import IdleService, Service, WholeService

#: Photos in a batch of every server; its clients are twice as many. Batching gains nothing on a CPU, it makes all wait.
BATCH = {"cpu": 4, "cuda": 32}
COST = "service-cost"
LINES = (*INFERENCE_LINES, LitServe.name, Mosec.name, WholeService.name, IdleService.name, COST)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure ours against other ways and servers; the second table is the service's."
    )
    add_options(parser, LINES, Path("var/bench.json"))
    parser.add_argument("--way", help="how LitServe and mosec run the networks (default: the fastest that is found)")
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    surroundings = dict(os.environ)
    whole: dict[str, Any] = {}
    told: list[str] = []
    try:
        if options.only != [COST]:
            with tempfile.TemporaryDirectory(prefix="scalp-bench-") as folder:
                report = measure(
                    options,
                    lambda weights: _lines(weights, options, Path(folder), surroundings),
                    packages=("litserve", "mosec"),
                )
            whole |= report.fields()
            told.append(report.text())
    except MLError as error:
        print(error, file=sys.stderr)
        return 1
    if not options.only or COST in options.only:
        from tests.bench.service_cost import service_cost, table

        os.environ.clear()
        os.environ.update(surroundings)
        whole["service_cost"] = service_cost(_databases())
        told.append(f"What the service itself costs\n\n{table(whole['service_cost'])}")
    return hand_over(whole, "\n\n".join(told), options)


def _lines(
    weights: Weights, options: argparse.Namespace, folder: Path, surroundings: Mapping[str, str]
) -> list[BenchmarkLine]:
    batch = BATCH["cuda" if choose_device(options.device).startswith("cuda") else "cpu"]
    way = Way(weights, options.device, batch, options.work, options.way)
    (folder / "service").mkdir()
    service = Service(weights, options.device, batch, folder / "service", surroundings)
    return [
        *inference_lines(weights, options.device),
        LitServe(way, folder / "litserve.log"),
        Mosec(way, folder / "mosec.log"),
        WholeService(service),
        IdleService(service),
    ]


def _databases() -> tuple[str, ...]:
    """SQLite, and PostgreSQL where its programs are installed."""
    there = shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return ("sqlite", "postgresql") if there else ("sqlite",)


if __name__ == "__main__":
    sys.exit(main())

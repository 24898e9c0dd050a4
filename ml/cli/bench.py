"""`python -m ml bench`: compare ways of running inference, without the service."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Any


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "bench",
        help="measure inference: the original way, resident eager, ours, and the machine's limit",
        description="Measure the seven models the original way, resident in eager torch, and as this project runs "
        "them, with the same photos and weights, in interleaved rounds, and compare with the machine's speed in a "
        "large matrix product. `make bench` adds servers over HTTP.",
    )
    from ml.bench.options import INFERENCE_LINES, add_options

    add_options(parser, INFERENCE_LINES)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ml.bench.lines import inference_lines
    from ml.bench.report import hand_over, measure

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    report = measure(options, lambda weights: inference_lines(weights, options.device))
    return hand_over(report.fields(), report.text(), options)

"""`python -m ml gate`: fit a gate."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from ml.cli.arguments import count, number


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "gate", help="fit the gate", description="The gate, which refuses photos that show no scalp."
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    fit_ = actions.add_parser(
        "fit",
        help="fit a gate on scalps and other things",
        description="Fit a head and a distance on the features of EfficientNet-lite0 with its ImageNet weights. The "
        "scalps are those of a data set and drawn ones, the other things are drawn ones and your own photographs.",
    )
    fit_.add_argument("path", type=Path, metavar="PATH", help="a data set, as `python -m ml data inspect` reads it")
    fit_.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder for gate.json and its weights")
    fit_.add_argument("--negatives", type=Path, metavar="FOLDER", help="photographs without scalps, to fit on")
    fit_.add_argument("--photographs", type=Path, metavar="FOLDER", help="other photographs, only to test on")
    fit_.add_argument("--count", type=count, default=800, help="scalps, and other things (default: %(default)s)")
    fit_.add_argument("--image-size", type=int, default=300, help="side of the input in pixels (default: %(default)s)")
    fit_.add_argument("--seed", type=number, default=0, help="(default: %(default)s)")
    fit_.add_argument("--json", action="store_true", help="one JSON document instead of text")
    fit_.set_defaults(run=fit)


def fit(options: argparse.Namespace) -> int:
    from ml.data.aihub import read_aihub
    from ml.gate.making import make_gate
    from ml.gate.pictures import find_photographs

    gate = make_gate(
        read_aihub(options.path, check_pictures=False).records,
        find_photographs(options.negatives) if options.negatives else (),
        photographs=find_photographs(options.photographs) if options.photographs else (),
        count=options.count,
        image_size=options.image_size,
        seed=options.seed,
        say=lambda sentence: print(sentence, file=sys.stderr),
    )
    gate.save(options.out)
    if options.json:
        print(json.dumps(gate.facts.model_dump(), indent=2, ensure_ascii=False))
        return 0
    print(f"{options.out}: a gate for {options.image_size}×{options.image_size}, threshold {gate.facts.threshold:.3f}")
    for name, value in gate.facts.metrics.items():
        print(f"  {name:<20} {value:.4f}")
    return 0

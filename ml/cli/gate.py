"""`python -m ml gate`: fit a gate."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml.cli.arguments import count, number


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "gate", help="fit a gate", description="The gate rejects photos that do not show a scalp."
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    fit_ = actions.add_parser(
        "fit",
        help="fit a gate on scalps, heads from too far away and other things",
        description="Fit a head and a distance on the features of EfficientNet-lite0 with its ImageNet weights. The "
        "scalps come from a data set, from drawings and from your photographs; heads from too far away and other "
        "things come from drawings and from your photographs. --folds adds a table of the gate's answers for "
        "pictures that it was not fitted on.",
    )
    fit_.add_argument("path", type=Path, metavar="PATH", help="a data set that `python -m ml data inspect` can read")
    fit_.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder for gate.json and its weights")
    fit_.add_argument("--real", type=Path, metavar="FOLDER", help="close-ups of real scalps, to fit on")
    fit_.add_argument("--far", type=Path, metavar="FOLDER", help="heads and partings from too far away, to fit on")
    fit_.add_argument("--negatives", type=Path, metavar="FOLDER", help="photographs without scalps, to fit on")
    fit_.add_argument(
        "--photographs", type=Path, metavar="FOLDER", help="more photographs without scalps, only for testing"
    )
    fit_.add_argument("--count", type=count, default=800, help="pictures of each outcome (default: %(default)s)")
    fit_.add_argument("--image-size", type=int, default=300, help="side of the input in pixels (default: %(default)s)")
    fit_.add_argument("--seed", type=number, default=0, help="(default: %(default)s)")
    fit_.add_argument(
        "--folds", type=number, default=0, help="folds of cross-validation; 0 for none (default: %(default)s)"
    )
    fit_.add_argument("--json", action="store_true", help="one JSON document instead of text")
    fit_.set_defaults(run=fit)


def fit(options: argparse.Namespace) -> int:
    from ml.data.aihub import read_aihub
    from ml.data.files import find_photographs
    from ml.gate.make import make_gate

    def found(folder: Path | None) -> list[Path]:
        return find_photographs(folder) if folder else []

    gate = make_gate(
        read_aihub(options.path, check_pictures=False).records,
        found(options.negatives),
        far=found(options.far),
        real=found(options.real),
        photographs=found(options.photographs),
        count=options.count,
        image_size=options.image_size,
        seed=options.seed,
        folds=options.folds,
        say=lambda sentence: print(sentence, file=sys.stderr),
    )
    gate.save(options.out)
    if options.json:
        print(json.dumps(gate.facts.model_dump(), indent=2, ensure_ascii=False))
        return 0
    print(f"{options.out}: a gate for {options.image_size}×{options.image_size}, threshold {gate.facts.threshold:.3f}")
    for name, value in gate.facts.metrics.items():
        print(f"  {name:<20} {value:.4f}")
    if gate.facts.outcomes:
        print(outcomes_table(gate.facts.outcomes, options.folds))
    return 0


def outcomes_table(outcomes: Mapping[str, Mapping[str, int]], folds: int) -> str:
    """Counts of pictures: one row per source, one column per answer of the gate."""
    columns = list(next(iter(outcomes.values())))
    rows = [f"  {f'{folds}-fold cross-validation':<28}" + "".join(f"{column:>9}" for column in columns)]
    rows += [f"  {name:<28}" + "".join(f"{row[column]:>9}" for column in columns) for name, row in outcomes.items()]
    return "\n".join(rows)

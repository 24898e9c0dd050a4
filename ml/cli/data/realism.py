"""`python -m ml data realism`: compare synthetic pictures with real ones."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.cli.arguments import count, number
from ml.errors import DataSetInvalid

if TYPE_CHECKING:
    from ml.data.descriptors import Range
    from ml.evaluation.realism import Distance, Realism

#: Seed of `--drawn`, far from the seeds of all sets that are used for training or measuring.
_DEFAULT_SEED = 9_000_000
#: Halves of smaller sets give no useful noise floor.
_MIN_PICTURES = 20


def register(actions: Any) -> None:
    parser: argparse.ArgumentParser = actions.add_parser(
        "realism",
        help="measure the distance between synthetic and real pictures",
        description="Measure the Fréchet distance between synthetic and real pictures in the features of "
        "EfficientNet-lite0 with its ImageNet weights, and compare brightness, color, hair, sharpness, grain and "
        "glints. The distance between two halves of the real pictures is the noise floor. Small sets have larger "
        "distances by chance, so only compare distances that were measured on the same numbers of pictures.",
    )
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="folder of synthetic pictures and folder of real ones; with --drawn only the second",
    )
    parser.add_argument("--drawn", type=count, metavar="N", help="draw N synthetic scalps with balanced grades instead")
    parser.add_argument(
        "--seed", type=number, default=_DEFAULT_SEED, help="first seed of --drawn (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ml.data.files import find_photographs
    from ml.evaluation.realism import Appearance, Realism, drawn_scalps
    from ml.preprocessing import open_photo

    if len(options.folders) != (2 if options.drawn is None else 1):
        print("python -m ml data realism: name two folders, or one with --drawn N", file=sys.stderr)
        return 2
    found = [find_photographs(folder) for folder in options.folders]
    if (fewest := min(options.drawn or _MIN_PICTURES, *map(len, found), _MIN_PICTURES)) < _MIN_PICTURES:
        raise DataSetInvalid(
            f"{fewest} pictures are too few to compare: at least {_MIN_PICTURES} are needed in each set."
        )
    real = Appearance.of(map(open_photo, found[-1]))
    drawn = drawn_scalps(options.drawn, options.seed) if options.drawn is not None else map(open_photo, found[0])
    realism = Realism.between(Appearance.of(drawn), real)
    if options.json:
        print(json.dumps(realism.as_json(), indent=2))
    else:
        print_realism(realism)
    return 0


def print_realism(realism: Realism) -> None:
    from ml.evaluation.realism import DIRECTIONS

    print(f"{realism.synthetic_pictures} synthetic and {realism.real_pictures} real pictures")
    _print_distance(realism.distance, f"in the {DIRECTIONS} directions in which ImageNet's classes differ most")
    _print_distance(realism.over_all_features, "over all 1,280 features")
    print()
    print(f"{'median (10th … 90th percentile)':<32}{'synthetic':<34}real")
    for name, synthetic in realism.synthetic.items():
        print(f"  {name.replace('_', ' '):<30}{_range(synthetic):<34}{_range(realism.real[name])}")


def _print_distance(distance: Distance, space: str) -> None:
    frechet = distance.frechet
    print(
        f"Fréchet distance {frechet.total:.2f} (means {frechet.means:.2f}, covariances {frechet.covariances:.2f}), "
        f"between halves of the real pictures {distance.noise_floor:.2f}: {space}"
    )


def _range(values: Range) -> str:
    return f"{_figure(values.median)} ({_figure(values.low)} … {_figure(values.high)})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

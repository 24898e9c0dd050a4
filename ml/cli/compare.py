"""`python -m ml compare`: train recipes on the same pictures and compare quality and time."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

from ml.cli.arguments import ListRecipes, count, number
from ml.errors import SplitInvalid
from ml.labels import SYMPTOM_KEYS


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare",
        help="train several recipes on the same pictures and compare quality and time",
        description="Train several recipes on the same pictures, measure them on the test part of the split, and write "
        "comparison.md and comparison.json. Finished runs are not trained again.",
    )
    parser.add_argument("data", type=Path, help="folder of the data set")
    parser.add_argument(
        "--split", type=Path, required=True, help="file that `data split` wrote, with a part named test"
    )
    parser.add_argument(
        "--recipe",
        action="append",
        required=True,
        type=_recipe_and_epochs,
        metavar="NAME[=EPOCHS]",
        help="a recipe, with its own number of epochs or this one; repeatable",
    )
    parser.add_argument("--list-recipes", action=ListRecipes, help="list the recipes and exit")
    parser.add_argument("--heads", choices=("six", "one"), help="for all recipes, instead of their own")
    parser.add_argument("--pictures", type=count, help="train on only this many pictures of the training part")
    parser.add_argument("--test-pictures", type=count, help="measure on only this many pictures of the test part")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs and the table")
    parser.add_argument("--seed", type=number, default=0, help="(default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--workers", type=number, default=1, help="processes that load pictures (default: %(default)s)")
    parser.set_defaults(run=run)


def _recipe_and_epochs(text: str) -> tuple[str, int | None]:
    """The name of a recipe, and the number of epochs if given."""
    name, _, epochs = text.partition("=")
    return name, count(epochs) if epochs else None


def run(options: argparse.Namespace) -> int:
    from ml.runtimes.device import choose_device
    from ml.training.comparison import compare
    from ml.training.recipe import load_recipe
    from ml.training.session import read_parts, some, train_all
    from ml.training.trainer import Options

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    test = read_parts(options.data, options.split, options.seed).get("test")
    if not test:
        raise SplitInvalid(f"{options.split} has no part named test, on which the comparison is measured.")
    recipes = [(load_recipe(name), epochs) for name, epochs in options.recipe]
    runs = {}
    for recipe, epochs in recipes:
        runs[recipe.name] = train_all(
            recipe.changed(epochs=epochs, heads=options.heads),
            options.data,
            options.out / recipe.name,
            split=options.split,
            symptoms=list(SYMPTOM_KEYS),
            pictures=options.pictures,
            seed=options.seed,
            options=Options(device=options.device, workers=options.workers),
        )
    asked = {recipe.name: recipe.epochs for recipe, _ in recipes}
    comparison = compare(runs, asked, some(test, options.test_pictures, options.seed), choose_device(options.device))
    comparison.write(options.out)
    print(comparison.markdown())
    return 0

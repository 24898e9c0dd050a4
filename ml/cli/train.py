"""`python -m ml train`: from a data set to a run."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import Any

from ml.cli.arguments import ListRecipes, count, number
from ml.errors import DataSetInvalid
from ml.labels import SYMPTOM_KEYS


def register(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "train",
        help="train graders on a data set",
        description="Train graders on a data set in the layout of AI Hub's scalp set (dataSetSn 216). A training that "
        "was killed resumes when the same command is given again. Next: evaluate, then bundle build.",
    )
    parser.add_argument("data", type=Path, help="folder of the data set, of zips or of folders")
    parser.add_argument("--recipe", required=True, help="a recipe's name, or a path to a .toml file")
    parser.add_argument("--list-recipes", action=ListRecipes, help="name the recipes and end")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; with heads = one, of six runs")
    parser.add_argument("--split", type=Path, help="file of `data split` (default: a tenth of the persons validates)")
    parser.add_argument("--symptom", action="append", choices=SYMPTOM_KEYS, help="only this one; may be given again")
    parser.add_argument("--epochs", type=count, help="instead of the recipe's")
    parser.add_argument("--batch", type=count, help="instead of the recipe's")
    parser.add_argument("--pictures", type=count, help="train on only this many pictures of the training part")
    parser.add_argument("--seed", type=number, default=0, help="(default: %(default)s)")
    parser.add_argument(
        "--weights",
        type=Path,
        help="start from this file, its last layer included where it fits (default: ImageNet's, else grown ones)",
    )
    parser.add_argument(
        "--photos", type=Path, metavar="FOLDER", help="also learn to rank these ungraded photographs by their --marks"
    )
    parser.add_argument(
        "--marks",
        type=Path,
        metavar="CSV",
        help="the share of each of the --photos that a person marked with flakes, shiny and red patches: columns file, "
        "dandruff_share, oil_share, sensitive_share",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--memory-limit", type=float, metavar="GIB", help="take no more of the device's memory")
    parser.add_argument("--workers", type=number, default=1, help="processes that load pictures (default: %(default)s)")
    parser.add_argument(
        "--checkpoint-seconds", type=float, default=120.0, help="work that a kill may cost (default: %(default)s)"
    )
    parser.add_argument("--compile", action="store_true", help="let torch compile the network; pays off after minutes")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from ml.data.files import find_photographs
    from ml.data.marks import marked_records, read_marks
    from ml.training.recipe import load_recipe
    from ml.training.session import train_all
    from ml.training.trainer import Options

    if (options.photos is None) != (options.marks is None):
        raise DataSetInvalid("--photos and --marks belong together: photographs are ranked by what is marked on them.")
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    runs = train_all(
        load_recipe(options.recipe).changed(epochs=options.epochs, batch=options.batch),
        options.data,
        options.out,
        split=options.split,
        symptoms=options.symptom or SYMPTOM_KEYS,
        pictures=options.pictures,
        seed=options.seed,
        weights=options.weights,
        marked=marked_records(find_photographs(options.photos), read_marks(options.marks)) if options.photos else (),
        options=Options(
            device=options.device,
            workers=options.workers,
            memory_limit=int(options.memory_limit * 2**30) if options.memory_limit else None,
            checkpoint_seconds=options.checkpoint_seconds,
            compiled=options.compile,
        ),
    )
    if options.json:
        print(json.dumps([{"run": str(each.folder), **each.facts.model_dump()} for each in runs], ensure_ascii=False))
        return 0
    for each in runs:
        facts = each.facts
        best = facts.history[facts.best_epoch]
        print(
            f"{each.folder}: epoch {facts.best_epoch + 1} of {len(facts.history)} was best, QWK {best['qwk']:.3f} and "
            f"macro-F1 {best['macro_f1']:.3f} on the validation part; {facts.images_a_second:.1f} pictures a second, "
            f"{facts.seconds:.0f} s"
        )
    return 0

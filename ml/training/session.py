"""A session: all runs that one command trains, on the parts of one data set."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ml.data.aihub import read_aihub
from ml.data.files import is_synthetic
from ml.data.records import Record
from ml.data.splits import Split, split_by_person
from ml.errors import DataSetInvalid, SplitInvalid
from ml.training.recipe import Recipe
from ml.training.run import Run
from ml.training.trainer import Options, train

logger = logging.getLogger(__name__)

_FRACTIONS = {"training": 0.9, "validation": 0.1}


def train_all(
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    symptoms: Sequence[str],
    split: Path | None = None,
    pictures: int | None = None,
    seed: int = 0,
    weights: Path | None = None,
    marked: Sequence[Record] = (),
    options: Options,
) -> list[Run]:
    """Train the recipe's network, or one a symptom below `out`, on the parts `training` and `validation`.

    `marked` are ungraded photographs (`ml.data.marks`), repeated until they are a third of what is trained on. Raises
    DataSetInvalid or SplitInvalid where the data does not allow it, and what `train` raises.
    """
    parts = read_parts(data, split, seed)
    training = with_marked(some(parts["training"], pictures, seed), marked)
    synthetic = is_synthetic(data)
    groups = [(tuple(symptoms), out)] if recipe.heads == "six" else [((key,), out / key) for key in symptoms]
    return [
        train(
            recipe,
            training,
            parts["validation"],
            group,
            folder,
            seed=seed,
            weights=weights,
            synthetic=synthetic,
            options=options,
        )
        for group, folder in groups
    ]


def with_marked(graded: Sequence[Record], marked: Sequence[Record]) -> list[Record]:
    """Both, the marked ones repeated until they are a third: a ranking is learned from pairs within one batch."""
    times = max(1, round(len(graded) / 2 / len(marked))) if marked else 0
    return [*graded, *(list(marked) * times)]


def read_parts(data: Path, split: Path | None, seed: int) -> dict[str, list[Record]]:
    """The records to train on, `training`, and to choose by, `validation`, and the split's other parts.

    Pictures that are labeled for some symptoms only are trained on for those, and are in no other part. Raises
    DataSetInvalid where nothing is left to train on or to validate with.
    """
    records = _labeled(data)
    parts = (Split.load(split) if split else split_by_person(records, _FRACTIONS, seed=seed)).divide(records)
    if not {"training", "validation"} <= parts.keys():
        raise SplitInvalid(f"{split} has no parts named training and validation, which training wants.")
    kept = {
        part: [record for record in group if record.fully_labeled or part == "training"]
        for part, group in parts.items()
    }
    if left_out := len(records) - sum(map(len, kept.values())):
        logger.warning(
            "%d of %d pictures are not used to validate or test: not all six symptoms are labeled.",
            left_out,
            len(records),
        )
    if not (kept["training"] and kept["validation"]):
        raise DataSetInvalid(
            f"{data} has no picture to train on or none to validate with: validation needs pictures with all six "
            "grades. `python -m ml data inspect` counts what is labeled."
        )
    return kept


def _labeled(data: Path) -> Sequence[Record]:
    return read_aihub(data, partial_labels=True).records


def some(records: Sequence[Record], count: int | None, seed: int) -> Sequence[Record]:
    """Choose `count` of the records by the seed, in their order; all of them if it is None."""
    if count is None or count >= len(records):
        return records
    return [records[index] for index in np.sort(np.random.default_rng(seed).permutation(len(records))[:count])]

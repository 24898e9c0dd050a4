"""Making a gate: pictures, features, the fit, and figures on what was held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from ml.bases import imagenet_weights
from ml.data.records import Record
from ml.errors import GateInvalid
from ml.gate.fit import Trunk, fit_gate, imagenet_prototypes, split
from ml.gate.gate import Gate, gate_facts
from ml.gate.pictures import others, scalps
from ml.growth import SOURCE
from ml.preprocessing import Preprocessing, open_photo
from ml.registry import describe

#: With fewer, the fifth that is held out is one picture or none.
FEWEST = 10
#: What lies between the seeds of scalps and those of other things.
_APART = 10_000_000


def make_gate(
    records: Sequence[Record],
    negatives: Sequence[Path] = (),
    *,
    photographs: Sequence[Path] = (),
    count: int = 800,
    image_size: int = 300,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Gate:
    """Fit a gate on `count` scalps, varied from the records and drawn, and as many other things.

    Half of those are the operator's own photographs `negatives` where there are any, the rest is drawn. `photographs`
    are only tested on: they must be others than the negatives. A fifth of everything is held out for the metrics.
    Raises GateInvalid for fewer than `FEWEST`.
    """
    if count < FEWEST:
        raise GateInvalid(f"A gate is fitted on {FEWEST} scalps or more; {count} are too few to hold a fifth out.")
    expects, weights = describe(SOURCE), imagenet_weights()
    trunk = Trunk(weights, Preprocessing(image_size, expects.mean, expects.std))
    say(f"Looking at {count} scalps.")
    yes = trunk.features(scalps(records, count, seed))
    say(f"Looking at {count} other things.")
    no = trunk.features(others(negatives, count, seed + _APART))
    fit = fit_gate(yes, no, imagenet_prototypes(weights))
    held = fit.scores(split(yes)[1])
    metrics = {
        "auroc_held_out": auroc(held, fit.scores(split(no)[1])),
        "scalps_passed": float((held > 0).mean()),
        "others_refused": float((fit.scores(split(no)[1]) <= 0).mean()),
    }
    if photographs:
        shown = fit.scores(trunk.features(open_photo(path) for path in photographs))
        metrics |= {"auroc_photographs": auroc(held, shown), "photographs_refused": float((shown <= 0).mean())}
    trained_on = (
        f"{count} scalps, of a data set of {len(records)} pictures and drawn ones, against {count} other things, of "
        f"{len(negatives)} photographs and drawn ones, and 1000 prototypes of ImageNet's classes"
    )
    return Gate(gate_facts(image_size, fit.threshold, trained_on, metrics), fit.tensors)


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """The share of pairs in which the positive one scores higher, ties by half (Mann and Whitney, 1947)."""
    difference = torch.from_numpy(positive)[:, None] - torch.from_numpy(negative)[None, :]
    return float(((difference > 0).double() + 0.5 * (difference == 0).double()).mean())

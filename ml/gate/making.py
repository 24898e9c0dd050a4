"""Making a gate: pictures, features, the fit, and figures on what was held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ml.data.records import Record
from ml.errors import GateInvalid
from ml.gate.features import FeatureExtractor
from ml.gate.fit import HELD_OUT, PROTOTYPES, GateFit, Sample, fit_gate, prototypes_sample
from ml.gate.gate import Gate, gate_facts
from ml.gate.pictures import heads, others, scalps, views
from ml.labels import GateClass
from ml.metrics import auroc
from ml.networks.growth import SOURCE
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import describe
from ml.preprocessing import Preprocessing, open_photo

#: With fewer, the fifth that is held out is one picture or none.
FEWEST = 10
#: What lies between the seeds of the sources.
_APART = 10_000_000


def make_gate(
    records: Sequence[Record],
    negatives: Sequence[Path] = (),
    *,
    far: Sequence[Path] = (),
    real: Sequence[Path] = (),
    photographs: Sequence[Path] = (),
    count: int = 800,
    image_size: int = 300,
    seed: int = 0,
    folds: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Gate:
    """Fit a gate on `count` scalps, varied from the records and drawn, and as many drawn heads and other things.

    Each may come with photographs: `real` close-ups of scalps, heads from too `far` away, and `negatives` of other
    things. All photographs of an outcome weigh as much as all of its drawn pictures, however few they are.
    `photographs` of other things are only tested on: they must be others than the negatives. A fifth of everything is
    held out for the metrics; with `folds` each picture is also answered by a gate that was fitted without its fold
    (`Gate.facts.outcomes`). Raises GateInvalid for fewer than `FEWEST` of a kind, and for a single fold.
    """
    given = (("scalps", count), *((name, len(paths)) for name, paths in (("--real", real), ("--far", far)) if paths))
    for name, number in given:
        if number < FEWEST:
            raise GateInvalid(f"A gate is fitted on {FEWEST} {name} or more; {number} are too few to hold a fifth out.")
    if folds == 1 or folds < 0:
        raise GateInvalid(f"Cross-validation takes 2 folds or more, not {folds}.")
    expects, weights = describe(SOURCE), imagenet_weights()
    trunk = FeatureExtractor(weights, Preprocessing(image_size, expects.mean, expects.std))

    def sample(name: str, outcome: GateClass, pictures: Iterable[Image.Image], distinct: int) -> Sample:
        say(f"Extracting features: {name}.")
        features = trunk.features(pictures)
        return Sample(name, outcome, features, torch.arange(len(features)) % distinct)

    def photographed(
        name: str, outcome: GateClass, paths: Sequence[Path], closest: float, stretch: float
    ) -> Iterator[Sample]:
        if paths:
            shown = views(paths, max(count // 2, len(paths)), seed + 3 * _APART, closest=closest, stretch=stretch)
            yield sample(name, outcome, shown, len(paths))

    samples = [
        sample("scalps", GateClass.SCALP, scalps(records, count, seed), count),
        *photographed("real scalps", GateClass.SCALP, real, 1.6, 0.2),
        sample("drawn heads", GateClass.TOO_FAR, heads(count, seed + 2 * _APART), count),
        *photographed("photographed heads", GateClass.TOO_FAR, far, 2.5, 0.3),
        sample("drawn others", GateClass.OTHER, others(count, seed + _APART), count),
        *photographed("photographed others", GateClass.OTHER, negatives, 2.5, 0.4),
        prototypes_sample(weights),
    ]
    fit = fit_gate(samples)
    held = [each.divide(*HELD_OUT)[1] for each in samples if each.name != PROTOTYPES]
    metrics = held_out_metrics(fit, held)
    if photographs:
        shown = fit.scores(trunk.features(open_photo(path) for path in photographs))
        passed = np.concatenate([fit.scores(each.features) for each in held if each.outcome == GateClass.SCALP])
        metrics |= {"auroc_photographs": auroc(passed, shown), "photographs_refused": float((shown <= 0).mean())}
    if folds:
        say(f"Fitting {folds} more gates, each without a fold.")
    trained_on = (
        f"{count} scalps, of a data set of {len(records)} pictures and drawn ones, {len(real)} photographs of scalps, "
        f"{count} drawn heads from too far away and {len(far)} photographs of such, {count} drawn other things and "
        f"{len(negatives)} photographs of such, and 1000 prototypes of ImageNet's classes"
    )
    facts = gate_facts(image_size, fit.threshold, trained_on, metrics, cross_validate(samples, folds) if folds else {})
    return Gate(facts, fit.tensors)


def held_out_metrics(fit: GateFit, held: Sequence[Sample]) -> dict[str, float]:
    """How a gate does on pictures that it wasn't fitted on, by sample and altogether."""
    scalps_, rest = (
        np.concatenate([fit.scores(each.features) for each in held if (each.outcome == GateClass.SCALP) is wanted])
        for wanted in (True, False)
    )
    told_far = [fit.outcomes(each.features) for each in held if each.outcome == GateClass.TOO_FAR]
    return {
        "auroc_held_out": auroc(scalps_, rest),
        "scalps_passed": float((scalps_ > 0).mean()),
        "others_refused": float((rest <= 0).mean()),
        "too_far_told": float((np.concatenate(told_far) == GateClass.TOO_FAR).mean()),
    }


def cross_validate(samples: Sequence[Sample], folds: int) -> dict[str, dict[str, int]]:
    """How many pictures of each sample got which outcome from a gate that was fitted without their fold.

    Each picture counts once, photographs as they are.
    """
    counts = {each.name: dict.fromkeys((outcome.name.lower() for outcome in GateClass), 0) for each in samples}
    for fold in range(folds):
        parts = [each.divide(fold, folds) for each in samples if each.name != PROTOTYPES]
        fit = fit_gate([*(kept for kept, _ in parts), *(each for each in samples if each.name == PROTOTYPES)])
        for _, held in parts:
            for outcome in fit.outcomes(held.once().features):
                counts[held.name][GateClass(int(outcome)).name.lower()] += 1
    return {name: each for name, each in counts.items() if name != PROTOTYPES}

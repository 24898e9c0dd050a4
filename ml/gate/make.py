"""Make a gate: pictures, features, the fit, and figures on held-out pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ml.data.records import Record
from ml.errors import GateInvalid
from ml.gate.features import FeatureExtractor
from ml.gate.fit import HELD_OUT_FOLD, PROTOTYPES_NAME, FeatureSample, GateFit, fit_gate, prototypes_sample
from ml.gate.gate import Gate, gate_facts
from ml.gate.pictures import heads, others, scalps, views
from ml.labels import GateClass
from ml.metrics import auroc
from ml.networks.growth import LITE0
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import describe
from ml.preprocessing import Preprocessing, open_photo

#: With fewer, at most one picture is held out.
MIN_PICTURES = 10
#: The difference between the seeds of two sources.
_SEED_STEP = 10_000_000


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
    """Fit a gate on `count` scalps, variations of the records and drawn ones, and as many drawn heads and other things.

    Photographs can be added to each: `real` close-ups of scalps, heads from too `far` away, and `negatives`, other
    things. All photographs of an outcome have the same weight as all of its drawn pictures. `photographs`, of other
    things than the negatives, are only for testing. A fifth of everything is held out for the metrics; with `folds`
    each picture is also answered by a gate that was fitted without its fold (`Gate.facts.outcomes`). Raises GateInvalid
    for fewer than `MIN_PICTURES` of a kind, and for a single fold.
    """
    given = (("scalps", count), *((name, len(paths)) for name, paths in (("--real", real), ("--far", far)) if paths))
    for name, number in given:
        if number < MIN_PICTURES:
            raise GateInvalid(f"A gate needs at least {MIN_PICTURES} {name}; there are {number}.")
    if folds == 1 or folds < 0:
        raise GateInvalid(f"Cross-validation needs at least 2 folds, not {folds}.")
    expects, weights = describe(LITE0), imagenet_weights()
    extractor = FeatureExtractor(weights, Preprocessing(image_size, expects.mean, expects.std))

    def sample(name: str, outcome: GateClass, pictures: Iterable[Image.Image], distinct: int) -> FeatureSample:
        say(f"Extracting features: {name}.")
        features = extractor.features(pictures)
        return FeatureSample(name, outcome, features, torch.arange(len(features)) % distinct)

    def photographed(
        name: str, outcome: GateClass, paths: Sequence[Path], closest: float, stretch: float
    ) -> Iterator[FeatureSample]:
        if paths:
            shown = views(paths, max(count // 2, len(paths)), seed + 3 * _SEED_STEP, closest=closest, stretch=stretch)
            yield sample(name, outcome, shown, len(paths))

    samples = [
        sample("scalps", GateClass.SCALP, scalps(records, count, seed), count),
        *photographed("real scalps", GateClass.SCALP, real, 1.6, 0.2),
        sample("drawn heads", GateClass.TOO_FAR, heads(count, seed + 2 * _SEED_STEP), count),
        *photographed("photographed heads", GateClass.TOO_FAR, far, 2.5, 0.3),
        sample("drawn others", GateClass.OTHER, others(count, seed + _SEED_STEP), count),
        *photographed("photographed others", GateClass.OTHER, negatives, 2.5, 0.4),
        prototypes_sample(weights),
    ]
    fit = fit_gate(samples)
    held = [each.divide(*HELD_OUT_FOLD)[1] for each in samples if each.name != PROTOTYPES_NAME]
    metrics = held_out_metrics(fit, held)
    if photographs:
        shown = fit.scores(extractor.features(open_photo(path) for path in photographs))
        passed = np.concatenate([fit.scores(each.features) for each in held if each.outcome == GateClass.SCALP])
        metrics |= {"auroc_photographs": auroc(passed, shown), "photographs_refused": float((shown <= 0).mean())}
    if folds:
        say(f"Cross-validating: fitting {folds} more gates.")
    trained_on = (
        f"{count} scalps, of a data set of {len(records)} pictures and drawn ones, {len(real)} photographs of scalps, "
        f"{count} drawn heads from too far away and {len(far)} photographs of such, {count} drawn other things and "
        f"{len(negatives)} photographs of such, and 1000 prototypes of ImageNet's classes"
    )
    facts = gate_facts(image_size, fit.threshold, trained_on, metrics, cross_validate(samples, folds) if folds else {})
    return Gate(facts, fit.tensors)


def held_out_metrics(fit: GateFit, held: Sequence[FeatureSample]) -> dict[str, float]:
    """The gate's figures on pictures that it was not fitted on."""
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


def cross_validate(samples: Sequence[FeatureSample], folds: int) -> dict[str, dict[str, int]]:
    """Count the pictures of each sample by the outcome of a gate that was fitted without their fold.

    Each picture counts once; photographs without variations.
    """
    counts = {each.name: dict.fromkeys((outcome.name.lower() for outcome in GateClass), 0) for each in samples}
    for fold in range(folds):
        parts = [each.divide(fold, folds) for each in samples if each.name != PROTOTYPES_NAME]
        fit = fit_gate([*(kept for kept, _ in parts), *(each for each in samples if each.name == PROTOTYPES_NAME)])
        for _, held in parts:
            for outcome in fit.outcomes(held.once().features):
                counts[held.name][GateClass(int(outcome)).name.lower()] += 1
    return {name: each for name, each in counts.items() if name != PROTOTYPES_NAME}

"""Stretch the gate's domain, the photographs that it accepts as known, to include a new scope.

The gate's distance is the norm of u, the features in 64 directions (`ml.gate.distance`). It is composed with a
symmetric map `(I + λ S)^-½`, where S is the second moment of the photographs' u. That shortens u in the directions in
which the photographs differ from the scalps that the gate knows, hardly in others, and never lengthens it: whatever was
inside stays inside. λ is the smallest that brings the photographs as far inside as the scalps of the gate's fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ml.adaptation.observation import ask_gate
from ml.bundle import Bundle
from ml.data.synthetic import draw_non_scalp
from ml.gate import DISTANCE_LIMIT, admits, distances
from ml.gate.distance import BIAS, DIRECTIONS, WEIGHT
from ml.labels import GATE
from ml.networks.registry import Weights

#: The share of the photographs that should be within reach and gate.
_HELD_SHARE = 0.99

#: The distance that should contain them, which contains 99.5 % of the scalps of the gate's fit (`ml.gate.fit`).
_INNER_LIMIT = DISTANCE_LIMIT / 1.5

#: The share of a sphere in S, because the variance in 64 directions is uncertain for few photographs.
_SHRINKAGE = 0.5

_FOLDS = 5
_MAX_STRENGTH = 1e4
_BISECTIONS = 60

#: The number of drawn pictures of other things that test the stretched gate, and the share that may newly pass.
_OTHER_PICTURES = 60
_MAX_LOST_SHARE = 0.02
_OTHER_PICTURES_SEED = 7_000_000


@dataclass(frozen=True, slots=True)
class Domain:
    """The gate's new `tensors`, empty if they do not change.

    `reach` is the distance that contains 99 % of photographs like these, None if the gate measures no distance.
    `sentence` describes the change.
    """

    tensors: Weights
    reach: float | None
    sentence: str


def adapt_domain(bundle: Bundle, features: np.ndarray, *, device: str = "auto", runtime: str = "auto") -> Domain:
    """Adapt the gate to photographs with these features `[n, width]`, n at least 5.

    The gate does not change if stretching it would let more than 2 % of 60 drawn pictures of other things newly pass.
    Raises ModelError.
    """
    tensors = bundle.distance()
    if not tensors:
        return Domain({}, None, "The gate measures no distance, so it did not change.")
    stretched, before = stretch(features, tensors), _reach(features, tensors)
    if stretched is None:
        return Domain({}, before, "These photographs are within the gate's limits, so it did not change.")
    gate = bundle.model(GATE.key)
    others, scalp = ask_gate(
        bundle,
        (draw_non_scalp(_OTHER_PICTURES_SEED + n) for n in range(_OTHER_PICTURES)),
        device=device,
        runtime=runtime,
    )
    passed = [
        np.array([admits(*pair, gate.threshold) for pair in zip(scalp.tolist(), _away(others, each), strict=True)])
        for each in (tensors, stretched.tensors)
    ]
    lost = float((passed[1] & ~passed[0]).mean())
    if lost > _MAX_LOST_SHARE:
        return Domain(
            {},
            before,
            f"The gate did not change: with limits wide enough for photographs like these, {lost:.0%} more of the "
            "drawn pictures of other things would pass.",
        )
    return Domain(
        stretched.tensors,
        stretched.reach,
        "The gate's limits were stretched, so that 99 % of photographs like these are as far inside as the scalps that "
        f"it was fitted on. It rejects {int((~passed[1]).sum())} of {_OTHER_PICTURES} drawn pictures of other things; "
        f"before it rejected {int((~passed[0]).sum())}.",
    )


@dataclass(frozen=True, slots=True)
class StretchedDistance:
    """The distance's tensors composed with a map, and the distance that contains 99 % of the photographs."""

    tensors: Weights
    reach: float


def stretch(features: np.ndarray, tensors: Weights) -> StretchedDistance | None:
    """Stretch the distance for photographs with these features `[n, width]`, n at least 5; None if they are inside.

    Each fifth of the photographs is measured with a map computed from the others, so that the distance of a few
    photographs is not underestimated.
    """
    directions = torch.nn.functional.linear(torch.from_numpy(features).float(), tensors[WEIGHT], tensors[BIAS])
    directions = directions.double()
    folds = torch.arange(len(directions)) % _FOLDS
    second = [_second_moment(directions[folds != fold]) for fold in range(_FOLDS)]

    def reach(strength: float) -> float:
        away = torch.cat(
            [
                torch.linalg.vector_norm(directions[folds == fold] @ _shortening(moment, strength), dim=1)
                for fold, moment in enumerate(second)
            ]
        )
        return _enclosing_distance(away.numpy())

    strength = _least_strength(reach)
    if strength == 0:
        return None
    shortening = _shortening(_second_moment(directions), strength)
    mapped = {name: (shortening @ tensors[name].double()).float() for name in (WEIGHT, BIAS)}
    return StretchedDistance(mapped, min(reach(strength), DISTANCE_LIMIT))


def _away(features: np.ndarray, tensors: Weights) -> list[float]:
    away: list[float] = distances(torch.from_numpy(features), tensors).tolist()
    return away


def _reach(features: np.ndarray, tensors: Weights) -> float:
    return min(_enclosing_distance(np.array(_away(features, tensors))), DISTANCE_LIMIT)


def _least_strength(reach: Callable[[float], float]) -> float:
    """The smallest λ at which the photographs are inside: 0 if they already are."""
    if reach(0) <= _INNER_LIMIT:
        return 0.0
    low, high = 0.0, _MAX_STRENGTH
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if reach(middle) <= _INNER_LIMIT else (middle, high)
    return high


def _second_moment(directions: torch.Tensor) -> torch.Tensor:
    moment = directions.T @ directions / len(directions)
    mean = directions.mean(dim=0)
    spread = moment - torch.outer(mean, mean)
    sphere = torch.eye(DIRECTIONS, dtype=torch.float64) * spread.diagonal().mean()
    return torch.outer(mean, mean) + (1 - _SHRINKAGE) * spread + _SHRINKAGE * sphere


def _shortening(moment: torch.Tensor, strength: float) -> torch.Tensor:
    """`(I + strength · moment)^-½`, symmetric, with no eigenvalue above 1."""
    values, vectors = torch.linalg.eigh(moment)
    lengths = (1 + strength * values.clamp_min(0)).rsqrt()
    shortening: torch.Tensor = vectors @ torch.diag(lengths) @ vectors.T
    return shortening


def _enclosing_distance(away: np.ndarray) -> float:
    """The distance that contains 99 %: the larger of the quantile, which is uncertain for few, and a normal fit's."""
    normal = away.mean() + 2.326 * away.std(ddof=1)
    return float(max(np.quantile(away, _HELD_SHARE), normal))

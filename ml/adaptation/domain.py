"""Domain: which photographs the gate takes for known ones, stretched until it holds the new scope as well.

The gate's distance is the norm of u, the features in 64 directions (`ml.gate.distance`). A symmetric map `(I + λ S)^-½`
is put behind it, where S is the second moment of the photographs' u. It shortens u in the directions in which the
photographs lie away from the scalps that the gate knows, hardly in others, and never lengthens it: whatever was
inside stays inside. λ is the least that brings the photographs as far in as the scalps that the gate was fitted on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ml.adaptation.observation import ask_gate
from ml.bundle import Bundle
from ml.data.synthetic import draw_non_scalp
from ml.gate import LIMIT, admits, distances
from ml.gate.distance import BIAS, DIRECTIONS, WEIGHT
from ml.labels import GATE
from ml.networks.registry import Weights

#: The share of the photographs that reach and gate are meant to hold.
_HELD = 0.99

#: How far in these come: where the gate's fit has 99.5 % of its own scalps (`ml.gate.fit`).
_INSIDE = LIMIT / 1.5

#: The share of a sphere in S: few photographs don't tell their spread in 64 directions.
_SHRINKAGE = 0.5

_FOLDS = 5
_MOST = 1e4
_BISECTIONS = 60


#: Other things that are drawn to see whether the stretched gate still refuses them, and the share that it may lose.
_OTHERS = 60
_MOST_LOST = 0.02
_OTHERS_SEED = 7_000_000


@dataclass(frozen=True, slots=True)
class Domain:
    """The gate's `tensors` for the new domain: none where they stay.

    `reach` is the distance that 99 % of photographs like these stay within, None where the gate measures no distance.
    `sentence` says what was done.
    """

    tensors: Weights
    reach: float | None
    sentence: str


def adapt_domain(bundle: Bundle, features: np.ndarray, *, device: str = "auto", runtime: str = "auto") -> Domain:
    """The domain of photographs with these features `[n, width]` of the bundle's gate, n at least 5.

    Where a stretched gate would let more than 2 % of 60 drawn pictures of other things pass that it refuses now, it
    stays as it is. Raises ModelError.
    """
    tensors = bundle.distance()
    if not tensors:
        return Domain({}, None, "The gate measures no distance, so it stays as it was.")
    stretched, before = stretch(features, tensors), _reach(features, tensors)
    if stretched is None:
        return Domain({}, before, "These photographs lie inside the gate's limits already, so it stays as it was.")
    gate = bundle.model(GATE.key)
    others, scalp = ask_gate(
        bundle, (draw_non_scalp(_OTHERS_SEED + n) for n in range(_OTHERS)), device=device, runtime=runtime
    )
    passed = [
        np.array([admits(*pair, gate.threshold) for pair in zip(scalp.tolist(), _away(others, each), strict=True)])
        for each in (tensors, stretched.tensors)
    ]
    lost = float((passed[1] & ~passed[0]).mean())
    if lost > _MOST_LOST:
        return Domain(
            {},
            before,
            f"The gate stays as it was: with limits wide enough for photographs like these it would let {lost:.0%} "
            "more of drawn pictures of other things pass.",
        )
    return Domain(
        stretched.tensors,
        stretched.reach,
        "The gate's limits were stretched, so that 99 % of photographs like these lie as far inside as the scalps that "
        f"it was fitted on. Of {_OTHERS} drawn pictures of other things it refuses "
        f"{int((~passed[1]).sum())}; before it was {int((~passed[0]).sum())}.",
    )


@dataclass(frozen=True, slots=True)
class Stretched:
    """The distance's tensors with a map put behind them, and the distance that 99 % of the photographs stay within."""

    tensors: Weights
    reach: float


def stretch(features: np.ndarray, tensors: Weights) -> Stretched | None:
    """The distance for photographs with these features `[n, width]`, n at least 5; None where they are inside already.

    Every fifth of the photographs is measured with a map that was made of the others, so that few photographs don't
    look nearer than others of the same scope will be.
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
        return _held(away.numpy())

    strength = _least_strength(reach)
    if strength == 0:
        return None
    shortening = _shortening(_second_moment(directions), strength)
    mapped = {name: (shortening @ tensors[name].double()).float() for name in (WEIGHT, BIAS)}
    return Stretched(mapped, min(reach(strength), LIMIT))


def _away(features: np.ndarray, tensors: Weights) -> list[float]:
    away: list[float] = distances(torch.from_numpy(features), tensors).tolist()
    return away


def _reach(features: np.ndarray, tensors: Weights) -> float:
    return min(_held(np.array(_away(features, tensors))), LIMIT)


def _least_strength(reach: Callable[[float], float]) -> float:
    """The least λ at which the photographs are inside: 0 where they are already."""
    if reach(0) <= _INSIDE:
        return 0.0
    low, high = 0.0, _MOST
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if reach(middle) <= _INSIDE else (middle, high)
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


def _held(away: np.ndarray) -> float:
    """What 99 % stay within: of few photographs the quantile says little, so no less than a normal spread has it."""
    normal = away.mean() + 2.326 * away.std(ddof=1)
    return float(max(np.quantile(away, _HELD), normal))

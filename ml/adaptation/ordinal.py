"""Ordinal fit: levels for a grader without a single label, from its scores and the expected share of each grade.

The model is a Gaussian copula. The truth behind a grade is normally distributed, `y = ρ z + sqrt(1 - ρ²) e`, where z is
the grader's score in standard units among the photographs and e is what the score does not know; a photo's grade is
above k where y is above the point that the expected share of such grades lies beyond. ρ, the *reliability*, is the
correlation of score and truth: how well the grader ranks photographs of the new scope. Nothing in unlabelled
photographs tells it, so it is an assumption. Given z, y is normal with mean ρ z and deviation sqrt(1 - ρ²). With the
logistic curve in place of the normal one, `Φ(x) ≈ sigmoid(1.702 x)` (Camilli, Journal of Educational and Behavioral
Statistics 19(3), 1994), P(grade > k) is a sigmoid of the score. Each cutpoint is then set so that its mean over the
photographs is the expected share exactly.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from ml.levels import Levels

#: The logistic curve of this times x is nowhere farther than .0095 from the normal one.
_LOGISTIC = 1.702

#: Scores beyond these quantiles count as these: one saturated answer must not decide the scale of all.
_CENTRAL = (0.025, 0.975)

#: Scores that spread less than this are all the same: their levels give every photo nearly the expected shares.
_LEAST_SPREAD = 0.02

_BISECTIONS = 100


def fit_levels(scores: np.ndarray, shares: np.ndarray, reliability: float) -> Levels:
    """Levels for scores `[n]` (`ml.levels.score`), so that the mean probability of each grade is its share `[4]`.

    `shares` are all above 0 and sum to 1; `reliability` is the assumed correlation ρ of score and truth, above 0 and
    below 1. A lower one makes the levels less sure: each photo's probabilities come nearer to the shares.
    """
    if not 0 < reliability < 1:
        raise ValueError(f"a reliability is above 0 and below 1, not {reliability}")
    spread = float(np.clip(scores, *np.quantile(scores, _CENTRAL)).std())
    signal = reliability / math.sqrt(1 - reliability**2)
    slope = _LOGISTIC * signal / max(spread, _LEAST_SPREAD)
    above = 1 - np.cumsum(shares)[:-1]
    first, second, third = (_cutpoint(slope * scores, float(share)) for share in above)
    return Levels(slope=slope, cutpoints=(first, second, third))


def _cutpoint(logits: np.ndarray, share: float) -> float:
    """The c at which the mean of `sigmoid(logits - c)` is the share, by bisection: the mean falls as c rises."""
    odds = math.log(share / (1 - share))
    low, high = float(logits.min()) - odds, float(logits.max()) - odds
    values = torch.from_numpy(logits)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if float((values - middle).sigmoid().mean()) > share:
            low = middle
        else:
            high = middle
    return (low + high) / 2

"""Fit a grader's levels without labels, from its scores and the expected share of each grade.

The model is a Gaussian copula. The truth behind a grade is normally distributed, `y = ρ z + sqrt(1 - ρ²) e`, where z is
the grader's score, standardized over the photographs, and e is independent of it; a photo's grade is above k if y is
above the quantile that corresponds to the expected share of such grades. ρ, the *reliability*, is the correlation of
score and truth: how well the grader ranks photographs of the new scope. Unlabeled photographs do not reveal it, so it
is an assumption. Given z, y is normal with mean ρ z and deviation sqrt(1 - ρ²). With the
logistic curve in place of the normal one, `Φ(x) ≈ sigmoid(1.702 x)` (Camilli, Journal of Educational and Behavioral
Statistics 19(3), 1994), P(grade > k) is a sigmoid of the score. Each cutpoint is then set so that its mean over the
photographs is exactly the expected share.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from ml.levels import Levels

#: The logistic curve of this times x differs from the normal one by at most .0095.
_LOGISTIC_SCALE = 1.702

#: Scores are clipped to these quantiles, so that a saturated answer does not determine the scale of all.
_CENTRAL_QUANTILES = (0.025, 0.975)

#: The smallest standard deviation of scores. With smaller ones every photo gets almost the expected shares.
_MIN_SPREAD = 0.02

_BISECTIONS = 100


def fit_levels(scores: np.ndarray, shares: np.ndarray, reliability: float) -> Levels:
    """Levels for scores `[n]` (`ml.levels.score`), so that the mean probability of each grade is its share `[4]`.

    `shares` are all above 0 and sum to 1; `reliability` is the assumed correlation ρ of score and truth, above 0 and
    below 1. A lower one makes the levels less confident: each photo's probabilities are closer to the shares.
    """
    if not 0 < reliability < 1:
        raise ValueError(f"a reliability must be above 0 and below 1, not {reliability}")
    spread = float(np.clip(scores, *np.quantile(scores, _CENTRAL_QUANTILES)).std())
    signal = reliability / math.sqrt(1 - reliability**2)
    slope = _LOGISTIC_SCALE * signal / max(spread, _MIN_SPREAD)
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

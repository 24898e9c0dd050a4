"""Confidence intervals of rates."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

Z_95 = NormalDist().inv_cdf(0.975)


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a rate (E. B. Wilson, “Probable Inference, the Law of Succession, and Statistical
    Inference”, J. Am. Stat. Assoc. 22, 1927); 0 to 1 without trials.
    """
    if not trials:
        return 0.0, 1.0
    rate = successes / trials
    weight = Z_95 * Z_95 / trials
    center = rate + weight / 2
    half = Z_95 * sqrt(rate * (1 - rate) / trials + weight / (4 * trials))
    return max(0.0, (center - half) / (1 + weight)), min(1.0, (center + half) / (1 + weight))

"""Noise that hides whether any one result is among those counted.

Counts are published with two-sided geometric noise (Ghosh, Roughgarden, Sundararajan: Universally Utility-Maximizing
Privacy Mechanisms, SIAM J. Comput. 41(6), 2012): P(k) is proportional to exp(−ε|k|), which for ε = 1 is 0 in 46 % of
cases and at most 3 away in 97 %. Even someone who knows all results but one can't infer that one from the counts.

The noise is persistent, as in official statistics (Fraser, Wooton: A proposed method for confidentialising tabular
output, 2005): it is derived from the count and a secret. The same count always gets the same noise, so repeated
requests average nothing out, and a count that differs by one gets independent noise.
"""

from __future__ import annotations

import math

from django.utils.crypto import salted_hmac

EPSILON = 1.0  #: per count; each result is in two of them, that of its type and that of its degree


def add_noise(count: int, name: str) -> int:
    """The count `name` as it may be published, never below 0."""
    drawn = salted_hmac("backend.statistics.noise", f"{name} {count}", algorithm="sha256").digest()
    # The difference of two geometric variables is two-sided geometric.
    return max(0, count + _geometric(drawn[:8]) - _geometric(drawn[8:16]))


def _geometric(drawn: bytes) -> int:
    """A geometric variable with success probability 1 − exp(−ε), from 8 random bytes."""
    uniform = ((int.from_bytes(drawn, "big") >> 11) + 1) / 2**53  # above 0, at most 1
    return math.floor(-math.log(uniform) / EPSILON)

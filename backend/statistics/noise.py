"""Noise that hides whether any one result is among those counted.

A count leaves with two-sided geometric noise (Ghosh, Roughgarden, Sundararajan: Universally Utility-Maximizing Privacy
Mechanisms, SIAM J. Comput. 41(6), 2012): P(k) is in proportion to exp(−ε|k|), which for ε = 1 is 0 in 46 % of cases and
at most 3 away in 97 %. Whoever knows all results but one can't tell that one from what is published.

The noise of a count is kept, as official statistics keep theirs (Fraser, Wooton: A proposed method for
confidentialising tabular output, 2005): it follows from the count and a secret. The same count always leaves the same,
so asking often averages nothing out; a count that differs by one leaves with noise of its own.
"""

from __future__ import annotations

import math

from django.utils.crypto import salted_hmac

EPSILON = 1.0  #: of each count; a result is in two of them, one of its type and one of its degree


def noisy(count: int, name: str) -> int:
    """The count called `name` as it may be published: never below 0."""
    drawn = salted_hmac("backend.statistics.noise", f"{name} {count}", algorithm="sha256").digest()
    # The difference of two geometric variables is two-sided geometric.
    return max(0, count + _geometric(drawn[:8]) - _geometric(drawn[8:16]))


def _geometric(drawn: bytes) -> int:
    """How often a coin that succeeds with probability 1 − exp(−ε) fails before; from 8 random bytes."""
    uniform = ((int.from_bytes(drawn, "big") >> 11) + 1) / 2**53  # above 0, at most 1
    return math.floor(-math.log(uniform) / EPSILON)

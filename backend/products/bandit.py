"""The order of suggestions: Thompson sampling over impressions and clicks, with a prior from the rules.

Each product's click rate is drawn from its posterior, Beta(prior + clicks, prior + shows − clicks), and the highest
draw comes first (W. R. Thompson, “On the likelihood that one unknown probability exceeds another in view of the
evidence of two samples”, Biometrika 25, 1933; O. Chapelle and L. Li, “An Empirical Evaluation of Thompson Sampling”,
NIPS 2011). Products with little evidence keep being tried, and false clicks count no more than as many real ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

PRIOR_SHOWS = 40.0  #: impressions that the rules' prior weighs as much as
PRIOR_RATES = (0.02, 0.10)  #: click rates that the rules expect for the worst fit and for the best
SUGGESTION_COUNT = 4  #: per report, at most
#: Older evidence is ignored, so that the order never becomes too certain to try something else.
EVIDENCE_DAYS = 90
MAX_REPORTS_PER_DAY = 5  #: reports of one sender whose impressions count
MAX_CLICKS_PER_DAY = 1  #: clicks of one sender on one product that count


@dataclass(frozen=True)
class Arm:
    """A product to choose: its `score` by the rules, 0 to 1, and how often it was shown and clicked."""

    key: int
    score: float
    shows: int = 0
    clicks: int = 0

    @property
    def posterior(self) -> tuple[float, float]:
        """The two parameters of the Beta distribution."""
        low, high = PRIOR_RATES
        expected = PRIOR_SHOWS * (low + (high - low) * self.score)
        return expected + self.clicks, PRIOR_SHOWS - expected + max(0, self.shows - self.clicks)


def rank_arms(arms: Iterable[Arm], seed: object) -> list[Arm]:
    """The arms, best draw first. With the same seed an arm gets the same draw, whatever the other arms are."""

    def draw(arm: Arm) -> float:
        return random.Random(f"{seed}:{arm.key}").betavariate(*arm.posterior)  # noqa: S311 - nothing to be guessed

    return sorted(arms, key=draw, reverse=True)

"""The order of suggestions: Thompson sampling over what was shown and clicked, from where the rules begin.

Each product's rate of clicks is drawn from what is believed of it, Beta(prior + clicks, prior + shows − clicks), and
the highest draw comes first (W. R. Thompson, “On the likelihood that one unknown probability exceeds another in view
of the evidence of two samples”, Biometrika 25, 1933; O. Chapelle and L. Li, “An Empirical Evaluation of Thompson
Sampling”, NIPS 2011). Whatever little is known of keeps being tried; whoever adds evidence moves it by that much only.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

#: What the rules say weighs as much as so many shows.
PRIOR_SHOWS = 40.0
#: The rates of clicks that the rules expect of the worst fit and of the best.
PRIOR_RATES = (0.02, 0.10)
SUGGESTION_COUNT = 4  #: suggestions of one report
#: So far back is looked. What is older is forgotten, so nothing ever becomes too sure to try something else.
EVIDENCE_DAYS = 90
#: Of one sender's reports in a day, so many have their suggestions counted,
MAX_REPORTS_PER_DAY = 5
#: and so many of its clicks on one product.
MAX_CLICKS_PER_DAY = 1


@dataclass(frozen=True)
class Arm:
    """A product to choose: the rules' `score` of 0 to 1, and how often it was shown and clicked."""

    key: int
    score: float
    shows: int = 0
    clicks: int = 0

    @property
    def belief(self) -> tuple[float, float]:
        """The two parameters of the Beta distribution."""
        least, most = PRIOR_RATES
        expected = PRIOR_SHOWS * (least + (most - least) * self.score)
        return expected + self.clicks, PRIOR_SHOWS - expected + max(0, self.shows - self.clicks)


def ordered(arms: Iterable[Arm], seed: object) -> list[Arm]:
    """The arms, best draw first. Of the same seed each arm has the same draw, whichever others there are."""

    def draw(arm: Arm) -> float:
        return random.Random(f"{seed}:{arm.key}").betavariate(*arm.belief)  # noqa: S311 - nothing to be guessed

    return sorted(arms, key=draw, reverse=True)

"""Bootstrap intervals that resample persons, because pictures of one person resemble each other.

Resampling pictures as if they were independent would make intervals too narrow, so whole persons are drawn, each with
all pictures (cluster bootstrap; Field and Welsh, J. R. Stat. Soc. B 69(3), 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DEFAULT_ROUNDS = 1000

#: The percentiles between which 95 % of the resampled figures lie.
_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; the bounds are NaN for fewer than two persons."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Resampling:
    """Rounds of drawing all persons with replacement: the same draws for every figure.

    `person_of` `[n]` is the number of each picture's person, `draws` `[rounds, persons]` how often each was drawn.
    """

    person_of: np.ndarray
    draws: np.ndarray

    @classmethod
    def of(cls, persons: Sequence[str], *, rounds: int = DEFAULT_ROUNDS, seed: int = 0) -> Resampling:
        """Draw for pictures of these persons; the same seed gives the same draws."""
        names, person_of = np.unique(np.asarray(persons), return_inverse=True)
        chances = np.full(len(names), 1 / len(names))
        return cls(person_of, np.random.default_rng(seed).multinomial(len(names), chances, size=rounds))

    @property
    def persons(self) -> int:
        """The number of persons."""
        return int(self.draws.shape[1])

    def totals(self, cells: np.ndarray, size: int, amounts: np.ndarray | None = None) -> np.ndarray:
        """The total of each of `size` cells in each round, `[rounds, size]`.

        `cells` `[n]` is each picture's cell, `amounts` `[n]` what it adds there, by default 1.
        """
        places = self.person_of * size + cells
        by_person = np.bincount(places, amounts, minlength=self.persons * size).reshape(self.persons, size)
        totals: np.ndarray = self.draws @ by_person.astype(np.float64)
        return totals

    def confusions(self, truth: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
        """The confusion matrix of each round, `[rounds, classes, classes]`."""
        return self.totals(truth * classes + answers, classes * classes).reshape(-1, classes, classes)

    def select(self, counted: np.ndarray) -> Resampling:
        """The same draws, for only the pictures that are `counted` `[n]` and their persons."""
        persons, person_of = np.unique(self.person_of[counted], return_inverse=True)
        return Resampling(person_of, self.draws[:, persons])

    def estimate(self, value: float, resampled: np.ndarray) -> Estimate:
        """`value` with the interval of the `resampled` values; undefined ones do not count."""
        defined = resampled[~np.isnan(resampled)]
        if self.persons < 2 or not len(defined):
            return Estimate(float(value), np.nan, np.nan)
        low, high = np.percentile(defined, _PERCENTILES)
        return Estimate(float(value), float(low), float(high))

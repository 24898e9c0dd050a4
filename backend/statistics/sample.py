"""Invented figures, which show what the page will look like before any are published."""

from __future__ import annotations

from collections import Counter

from backend.analyses.models import Age, Sex
from backend.statistics.models import BarKind
from backend.statistics.selectors.groups import StatisticsByGroup

#: Results with the degrees 0 to 3, of each sex.
DEGREES_BY_AGE = {
    Age.TWENTIES: (60, 82, 40, 18), Age.THIRTIES: (52, 84, 46, 18), Age.FORTIES: (46, 80, 52, 22),
    Age.FIFTIES: (38, 76, 60, 26), Age.SIXTIES: (34, 72, 64, 30),
}  # fmt: skip
#: Of 100 results.
TYPES = {"good": 24, "oily": 22, "dry": 14, "dandruff": 13, "sensitive": 10, "hair_loss": 9, "combined": 8}


def sample_statistics() -> StatisticsByGroup:
    counts: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    for sex in (Sex.FEMALE, Sex.MALE):
        for age, degrees in DEGREES_BY_AGE.items():
            bars = counts[sex, age] = Counter()
            for skin, share in TYPES.items():
                bars[BarKind.SKIN, skin] = share * sum(degrees) // 100
            for degree, count in enumerate(degrees):
                bars[BarKind.PRED, str(degree)] = count
    return StatisticsByGroup(None, False, counts)

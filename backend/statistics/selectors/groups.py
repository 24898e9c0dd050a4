"""Groups of results by sex and age, computed from the published counts only.

So combining several answers, or answers from different times, reveals no more than the published counts do. Sums leave
out withheld groups too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from backend.statistics.models import BarKind, Publication, PublishedCount
from ml.labels import GRADES, SCALP_TYPES


@dataclass(frozen=True)
class Place:
    """One result compared with its group: the shares of a lower, the same and a higher degree, which add up to 1."""

    lower: float
    same: float
    higher: float


@dataclass(frozen=True)
class Group:
    """Results of one sex and age; None means all published groups.

    `skins` are the shares of the scalp types by key, `preds` those of the degrees 0–3; each add up to 1. `results` is
    their approximate number.
    """

    sex: str | None
    age: str | None
    results: int
    skins: dict[str, float]
    preds: tuple[float, ...]

    @property
    def median(self) -> int:
        """The degree that half of the results do not exceed."""
        return next(degree for degree in range(len(self.preds)) if sum(self.preds[: degree + 1]) >= 0.5 - 1e-9)

    @property
    def most_common_degree(self) -> int:
        return self.preds.index(max(self.preds))

    def place(self, degree: int) -> Place:
        return Place(sum(self.preds[:degree]), self.preds[degree], sum(self.preds[degree + 1 :]))


@dataclass(frozen=True)
class StatisticsByGroup:
    """The published counts by sex and age. `demo`: they come from demo weights, which say nothing about anyone."""

    published_at: datetime | None
    demo: bool
    counts: dict[tuple[str, str], Counter[tuple[str, str]]]

    def group(self, sex: str | None, age: str | None) -> Group | None:
        """The group, or None if it is too small to publish."""
        bars = Counter[tuple[str, str]]()
        for (of_sex, of_age), counted in self.counts.items():
            if sex in {None, of_sex} and age in {None, of_age}:
                bars += counted
        if not bars:
            return None
        skins = {label.key: bars[BarKind.SKIN, label.key] for label in SCALP_TYPES}
        preds = [bars[BarKind.PRED, str(grade)] for grade in range(len(GRADES))]
        return Group(
            sex, age, sum(preds),
            {key: count / sum(skins.values()) for key, count in skins.items()},
            tuple(count / sum(preds) for count in preds),
        )  # fmt: skip

    def nearest(self, sex: str | None, age: str | None) -> Group | None:
        """The smallest published group with this sex and age, where None is any: these, all of this sex, or all."""
        return self.group(sex, age) or self.group(sex, None) or self.group(None, None)


def statistics_published() -> StatisticsByGroup:
    """Reads at most about 300 rows, regardless of the number of results."""
    publication = Publication.objects.filter(pk=1).first()
    counts: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    for sex, age, kind, value, count in PublishedCount.objects.values_list("sex", "age", "kind", "value", "count"):
        counts.setdefault((sex, age), Counter())[kind, value] = count
    return StatisticsByGroup(
        publication.published_at if publication and counts else None, bool(publication and publication.demo), counts
    )

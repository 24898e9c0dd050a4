"""Groups of results by sex and age, from what was published and from nothing else.

Whatever is shown here is worked out from the published counts, so that no two answers, and no answer before and after,
tell more than these do. What was withheld is in no sum either.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from backend.statistics.models import BarKind, Publication, PublishedCount
from ml.labels import GRADES, SCALP_TYPES


@dataclass(frozen=True)
class Place:
    """Where one result stands in its group: the shares of a lower, the same and a higher degree; together 1."""

    lower: float
    same: float
    higher: float


@dataclass(frozen=True)
class Group:
    """Results of one sex and age; None stands for all that are large enough to be shown.

    `skins` are the shares of the scalp types by key, `preds` those of the degrees 0–3, which add up to 1 each.
    `results` is about how many there are.
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

    def place(self, degree: int) -> Place:
        return Place(sum(self.preds[:degree]), self.preds[degree], sum(self.preds[degree + 1 :]))


@dataclass(frozen=True)
class Statistics:
    """What was published, by sex and age. `demo`: it comes from demo weights, which say nothing of anybody."""

    published_at: datetime | None
    demo: bool
    counts: dict[tuple[str, str], Counter[tuple[str, str]]]

    def group(self, sex: str | None, age: str | None) -> Group | None:
        """The group, None where it is too small to be shown."""
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

    def nearest(self, sex: str, age: str) -> Group | None:
        """The smallest group with this sex and age that is shown: their own, all of their sex, or all."""
        return self.group(sex, age) or self.group(sex, None) or self.group(None, None)


def statistics_published() -> Statistics:
    """At most some 300 rows, however many results there are."""
    publication = Publication.objects.filter(pk=1).first()
    counts: dict[tuple[str, str], Counter[tuple[str, str]]] = {}
    for sex, age, kind, value, count in PublishedCount.objects.values_list("sex", "age", "kind", "value", "count"):
        counts.setdefault((sex, age), Counter())[kind, value] = count
    return Statistics(
        publication.published_at if publication and counts else None, bool(publication and publication.demo), counts
    )

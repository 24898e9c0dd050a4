"""One result compared with its group."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from backend.analyses.errors import NoReportYet
from backend.analyses.models import Analysis
from backend.analyses.results import Result
from backend.analyses.selectors.status import analysis_missing, analysis_status
from backend.statistics.selectors.groups import Group, Place, StatisticsByGroup, statistics_published
from ml.labels import GRADE_BY_WORD, TYPE_KEY_BY_WORD


@dataclass(frozen=True)
class OwnStatistics:
    """A result (its type by key, its degree 0–3) and the smallest published group with its sex and age, if any."""

    published: StatisticsByGroup
    result: Result
    sex: str
    age: str
    skin: str
    degree: int
    group: Group | None

    @property
    def place(self) -> Place | None:
        """None if no group is published, or if type or degree is uncertain."""
        return self.group.place(self.degree) if self.group and self.result.judgment.certain else None


def own_statistics(analysis_id: UUID) -> OwnStatistics:
    """Raises NoReportYet, AnalysisUnknown, AnalysisErased."""
    result = analysis_status(analysis_id).result
    if result is None:
        raise NoReportYet
    row = Analysis.objects.filter(pk=analysis_id).values_list("sex", "age").first()
    if row is None:
        raise analysis_missing(analysis_id)
    sex, age = row
    published = statistics_published()
    skin, degree = TYPE_KEY_BY_WORD[result.skin], GRADE_BY_WORD[result.pred]
    return OwnStatistics(published, result, sex, age, skin, degree, published.nearest(sex, age))

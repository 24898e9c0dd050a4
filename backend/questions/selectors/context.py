"""The signs in the reader's report, which the ranking of entries takes into account."""

from __future__ import annotations

from uuid import UUID

from backend.analyses.errors import NoReportYet
from backend.analyses.judgment import SignJudgment
from backend.analyses.results import Result
from backend.analyses.selectors.status import analysis_status


def report_signs(analysis_id: UUID) -> dict[str, SignJudgment]:
    """The signs that a report says are there, by symptom, most pronounced first.

    Raises NoReportYet, AnalysisUnknown, AnalysisErased.
    """
    result: Result | None = analysis_status(analysis_id).result
    if result is None:
        raise NoReportYet
    seen = sorted((sign for sign in result.judgment.signs if sign.seen), key=lambda sign: -sign.advised_grade)
    return {sign.symptom: sign for sign in seen}

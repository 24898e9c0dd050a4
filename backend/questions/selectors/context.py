"""The signs in the reader's report, which the ranking of entries takes into account."""

from __future__ import annotations

from uuid import UUID

from backend.analyses.errors import NoReportYet
from backend.analyses.results import Result
from backend.analyses.selectors.status import analysis_status


def report_signs(analysis_id: UUID) -> dict[str, int]:
    """The signs of a report with their grades 1–3, most pronounced first; of two grades the one for advice.

    Raises NoReportYet, AnalysisUnknown, AnalysisErased.
    """
    result: Result | None = analysis_status(analysis_id).result
    if result is None:
        raise NoReportYet
    found = {sign.symptom: sign.advised_grade for sign in result.judgment.signs if sign.seen}
    return dict(sorted(found.items(), key=lambda item: -item[1]))

"""What the bot may know of the reader: the signs that their report found."""

from __future__ import annotations

from uuid import UUID

from backend.analyses.errors import NoReportYet
from backend.analyses.results import Result
from backend.analyses.selectors.status import analysis_status


def report_signs(analysis_id: UUID) -> dict[str, int]:
    """The signs of a report with their grades 1–3, the most marked first; none that is not rated.

    Raises NoReportYet, AnalysisUnknown, AnalysisErased.
    """
    result: Result | None = analysis_status(analysis_id).result
    if result is None:
        raise NoReportYet
    found = {finding.symptom: finding.grade for finding in result.findings if finding.grade and not finding.abstains}
    return dict(sorted(found.items(), key=lambda one: -one[1]))

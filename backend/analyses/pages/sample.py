"""The sample report. Its grades are invented; no photo is behind it."""

from __future__ import annotations

from backend.analyses.grades import Grade
from backend.analyses.presentation.report import Report
from backend.analyses.results import Result, type_and_degree
from ml.labels import SYMPTOMS

#: A grade and a confidence per symptom. One is not rated, as in many real reports.
SAMPLE_GRADES = (0, 2, 2, 0, 1, 0)
SAMPLE_CONFIDENCES = (0.86, 0.84, 0.71, 0.88, 0.66, 0.41)
UNRATED_PLACE = 5


def sample_report() -> Report:
    findings = tuple(
        Grade(
            symptom.key,
            grade,
            _probabilities(grade, confidence),
            confidence,
            "unsure" if place == UNRATED_PLACE else None,
        )
        for place, (symptom, grade, confidence) in enumerate(
            zip(SYMPTOMS, SAMPLE_GRADES, SAMPLE_CONFIDENCES, strict=True)
        )
    )
    skin, pred = type_and_degree(findings)
    return Report(Result(skin=skin, pred=pred, findings=findings, bundle="", demo=False))


def _probabilities(grade: int, confidence: float) -> tuple[float, float, float, float]:
    """The confidence for this grade, the rest in equal parts for the others."""
    good, mild, moderate, severe = (confidence if other == grade else (1 - confidence) / 3 for other in range(4))
    return good, mild, moderate, severe

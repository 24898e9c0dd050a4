"""The sample report. Its grades are invented; no photo is behind it."""

from __future__ import annotations

from backend.analyses.models import Abstention, Finding
from backend.analyses.pages.report import Report
from backend.analyses.selectors.status import Result
from ml.labels import SYMPTOMS, scalp_type

#: A grade and a confidence per symptom. One is not rated, as in many real reports.
SAMPLE_GRADES = (0, 2, 2, 0, 1, 0)
SAMPLE_CONFIDENCES = (0.86, 0.84, 0.71, 0.88, 0.66, 0.41)
UNRATED_PLACE = 5


def sample_report() -> Report:
    skin, pred = scalp_type(SAMPLE_GRADES)
    findings = tuple(
        Finding(
            symptom=symptom.key,
            grade=grade,
            confidence=confidence,
            abstains=place == UNRATED_PLACE,
            abstention=Abstention.UNSURE if place == UNRATED_PLACE else "",
        )
        for place, (symptom, grade, confidence) in enumerate(
            zip(SYMPTOMS, SAMPLE_GRADES, SAMPLE_CONFIDENCES, strict=True)
        )
    )
    return Report(Result(skin=skin, pred=pred, findings=findings, bundle="", demo=False))

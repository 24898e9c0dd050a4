"""A report to look at before anybody sends a photo. No scalp was looked at for it: its grades are invented."""

from __future__ import annotations

from backend.analyses.models import Abstention, Finding
from backend.analyses.pages.report import Report
from backend.analyses.selectors.status import Result
from ml.labels import SYMPTOMS, scalp_type

#: A grade and a confidence a symptom; one is not rated, since reports are often like that.
GRADES = (0, 2, 2, 0, 1, 0)
CONFIDENCES = (0.86, 0.84, 0.71, 0.88, 0.66, 0.41)
UNRATED = 5


def sample_report() -> Report:
    skin, pred = scalp_type(GRADES)
    findings = tuple(
        Finding(
            symptom=symptom.key,
            grade=grade,
            confidence=confidence,
            abstains=place == UNRATED,
            abstention=Abstention.UNSURE if place == UNRATED else "",
        )
        for place, (symptom, grade, confidence) in enumerate(zip(SYMPTOMS, GRADES, CONFIDENCES, strict=True))
    )
    return Report(Result(skin=skin, pred=pred, findings=findings, bundle="", demo=False))

"""A result, as the worker hands it over and as pages and API show it: grades, photo quality, type and degree.

Pure values: the rows are `Finding`, `Human` and `Analysis`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from backend.analyses.grades import Grade
from backend.analyses.judgment import Judgment, judge
from ml.labels import SYMPTOMS, counted_grade, scalp_type


@dataclass(frozen=True, slots=True)
class PhotoQuality:
    """Measurements of the photo (`ml.quality`): between 0 and 1, except `sharpness`, which is about 1 in focus."""

    brightness: float
    contrast: float
    sharpness: float


@dataclass(frozen=True)
class Result:
    """Scalp type and degree in Korean words, and six grades in the order of the symptoms.

    Nothing of it may be shown but what its `judgment` says. `quality` is None if nothing was measured: in old results,
    and in the sample.
    """

    skin: str
    pred: str
    findings: tuple[Grade, ...]
    bundle: str
    demo: bool
    quality: PhotoQuality | None = None

    @cached_property
    def judgment(self) -> Judgment:
        return judge(self.findings, demo=self.demo)


def type_and_degree(findings: Sequence[Grade]) -> tuple[str, str]:
    """Scalp type and degree, in the words of `Human`, from the grades that count (`ml.labels.counted_grade`).

    Raises ValueError unless there are six, in the order of `ml.labels.SYMPTOMS`.
    """
    if [finding.symptom for finding in findings] != [symptom.key for symptom in SYMPTOMS]:
        raise ValueError("exactly six findings are needed, in the order of the symptoms")
    return scalp_type([counted_grade(finding.grade, finding.abstention) for finding in findings])

"""A result, as the worker hands it over and as pages and API show it: grades, photo quality, type and degree.

Pure values: the rows are `Finding`, `Human` and `Analysis`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ml.labels import GRADES, SYMPTOMS, Abstention, counted_grade, deciding_unrated, scalp_type

#: With this many of the six signs unrated, the others are too few to call a scalp good.
TOO_MANY_UNRATED = 4


@dataclass(frozen=True, slots=True)
class Grade:
    """One symptom's grade 0–3, four probabilities, confidence 0–1, and why the grade is withheld, if it is.

    A grade with an `abstention` must not be shown. `map`, if any, shows where on the photo, as stored in `Finding`.
    """

    symptom: str
    grade: int
    probabilities: tuple[float, float, float, float]
    confidence: float
    abstention: Abstention | None = None
    map: bytes | None = None

    @property
    def abstains(self) -> bool:
        return self.abstention is not None


@dataclass(frozen=True, slots=True)
class PhotoQuality:
    """Measurements of the photo (`ml.quality`): between 0 and 1, except `sharpness`, which is about 1 in focus."""

    brightness: float
    contrast: float
    sharpness: float


@dataclass(frozen=True)
class Result:
    """Scalp type and degree in Korean words, and six grades in the order of the symptoms.

    Type and degree may only be shown if they are not `open`. `quality` is None if nothing was measured: in old results,
    and in the sample.
    """

    skin: str
    pred: str
    findings: tuple[Grade, ...]
    bundle: str
    demo: bool
    quality: PhotoQuality | None = None

    @property
    def rated(self) -> bool:
        """Whether any sign was rated."""
        return not all(finding.abstains for finding in self.findings)

    @property
    def open_signs(self) -> tuple[str, ...]:
        """The unrated signs that would decide the type, in the order of the symptoms."""
        grades, reasons = [found.grade for found in self.findings], [found.abstention for found in self.findings]
        return tuple(self.findings[index].symptom for index in deciding_unrated(grades, reasons))

    @property
    def open(self) -> bool:
        """Whether type and degree are open: a deciding sign was not rated, or too few were to call the scalp good."""
        few = sum(finding.abstains for finding in self.findings) >= TOO_MANY_UNRATED
        return bool(self.open_signs) or (few and self.pred == GRADES[0].korean)


def type_and_degree(findings: Sequence[Grade]) -> tuple[str, str]:
    """Scalp type and degree, in the words of `Human`, from the grades that count (`ml.labels.counted_grade`).

    Raises ValueError unless there are six, in the order of `ml.labels.SYMPTOMS`.
    """
    if [finding.symptom for finding in findings] != [symptom.key for symptom in SYMPTOMS]:
        raise ValueError("exactly six findings are needed, in the order of the symptoms")
    return scalp_type([counted_grade(finding.grade, finding.abstention) for finding in findings])

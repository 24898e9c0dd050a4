"""A grade of one symptom, from the worker to the page and the API. The row is `Finding`."""

from __future__ import annotations

from dataclasses import dataclass

from ml.labels import Abstention


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

"""The results of an adaptation, for the command and the card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.adaptation.photographs import Tally
from ml.levels import Levels


@dataclass(frozen=True, slots=True)
class AdaptedGrader:
    """One symptom before and after, over the photographs.

    `before` and `after` `[n, 4]` are the probabilities of the grades; `shares` `[4]` and `reliability` are the
    assumptions about population and grader. Findings with a confidence below `threshold` are withheld.
    """

    key: str
    shares: np.ndarray
    reliability: float
    levels: Levels
    threshold: float
    before: np.ndarray
    after: np.ndarray

    @property
    def withheld(self) -> float:
        """The share of the photographs' findings that are withheld for their confidence."""
        return float((self.after.max(axis=1) < self.threshold).mean())

    def as_json(self) -> dict[str, Any]:
        """The grader for `--json`; shares and mean grades are rounded."""
        return {
            "symptom": self.key,
            "reliability": self.reliability,
            "expected_shares": _rounded(self.shares),
            "mean_grade": {"before": mean_grade(self.before), "after": mean_grade(self.after)},
            "answered": {"before": answered(self.before), "after": answered(self.after)},
            "levels": self.levels.model_dump(mode="json"),
            "threshold": round(self.threshold, 4),
            "withheld": round(self.withheld, 4),
        }


def mean_grade(probabilities: np.ndarray) -> float:
    """The mean expected grade, 0 to 3, of probabilities `[n, 4]`."""
    return round(float((probabilities @ np.arange(4)).mean()), 3)


def answered(probabilities: np.ndarray) -> list[float]:
    """The share of photographs whose likeliest grade is each grade."""
    counts = np.bincount(probabilities.argmax(axis=1), minlength=4)
    return _rounded(counts / len(probabilities))


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]


@dataclass(frozen=True, slots=True)
class Adaptation:
    """The adaptation of a bundle, whose `name@version` is `parent`.

    `gate` describes the change of the gate; `reach` is the distance beyond which findings are withheld, None if the
    gate measures none. `notes` are further sentences for people.
    """

    parent: str
    scope: str
    tally: Tally
    shares_from: str
    batch_norm: float | None
    graders: tuple[AdaptedGrader, ...]
    gate: str
    reach: float | None
    notes: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The manifest's `adapted`."""
        how = "levels, abstention thresholds" + (", batch-norm statistics" if self.batch_norm is not None else "")
        return (
            f"To {self.scope}: {self.tally.sentence()}, all unlabeled. The expected shares of grades are those "
            f"{self.shares_from}. Adapted: {how}, gate's domain. {self.gate}"
        )

    def as_json(self) -> dict[str, Any]:
        """Everything for `--json`, one entry per grader."""
        tally = self.tally
        return {
            "parent": self.parent,
            "photographs": {
                "found": tally.found,
                "used": tally.used,
                "unreadable": tally.unreadable,
                "small": tally.small,
                "duplicates": tally.duplicates,
                "poor_quality": tally.poor,
                "rejected_by_the_gate": tally.rejected,
            },
            "shares_from": self.shares_from,
            "batch_norm": self.batch_norm,
            "reach": self.reach,
            "gate": self.gate,
            "graders": [grader.as_json() for grader in self.graders],
            "notes": list(self.notes),
        }

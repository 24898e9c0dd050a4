"""The results of an evaluation: a tree of dataclasses that can be converted to JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.evaluation.bootstrap import Estimate
from ml.evaluation.calibration import Abstention
from ml.metrics import Reliability, RiskCoverage

#: Where `python -m ml evaluate` writes the results of a run, in its folder.
EVALUATION_FOLDER = "evaluation"
EVALUATION_FILE = "evaluation.json"

_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """The pictures that were evaluated.

    `digest` is that of `ml.data.splits.digest` over all pictures of the data set, which are drawn if `synthetic`.
    `part` and `split` are None for the whole data set. `seen` means that the subject was trained on these same
    pictures, so that all figures are too good.
    """

    data: str
    digest: str
    synthetic: bool
    split: str | None = None
    part: str | None = None
    seen: bool = False


@dataclass(frozen=True, slots=True)
class SymptomEvaluation:
    """One symptom on the `pictures` that are labeled for it.

    `grades` counts labels by grade, `confusion` has a row per label and a column per answer. `recalls` are by grade,
    NaN for a grade without labels. `ece` is the calibration error with the temperature, `ece_before` without. `aurc` is
    the area under the risk-coverage curve.
    """

    key: str
    pictures: int
    grades: tuple[int, ...]
    confusion: np.ndarray
    accuracy: Estimate
    majority: float
    macro_f1: Estimate
    qwk: Estimate
    within_one: Estimate
    recalls: tuple[float, ...]
    temperature: float
    ece_before: float
    ece: float
    reliability_before: Reliability
    reliability: Reliability
    risk_coverage: RiskCoverage
    aurc: float
    abstention: Abstention


@dataclass(frozen=True, slots=True)
class Means:
    """Means over the symptoms for which a figure is defined."""

    accuracy: Estimate
    majority: float
    macro_f1: Estimate
    qwk: Estimate
    within_one: Estimate
    ece_before: float
    ece: float
    aurc: float
    coverage: float
    accuracy_of_standing: float


@dataclass(frozen=True, slots=True)
class Subgroup:
    """The pictures that share a sex, an age or a device: figures by symptom, and their means over the symptoms."""

    name: str
    pictures: int
    persons: int
    accuracy: Mapping[str, float]
    qwk: Mapping[str, float]
    mean_accuracy: float
    mean_qwk: float


@dataclass(frozen=True, slots=True)
class TypeAgreement:
    """How often the type rule gives the same type and degree for the answers as for the labels.

    Over the `pictures` that are labeled for all six symptoms.
    """

    pictures: int
    skin: Estimate
    skin_majority: float
    skin_confusion: np.ndarray
    pred: Estimate
    pred_majority: float
    pred_qwk: Estimate


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All results. `facts` about the subject are by name.

    `calibrated_on` names the pictures that temperatures and thresholds were fitted on, None if they were given.
    `subgroups` has the tables `sex`, `age` and `device` if they are known for any picture. `not_labeled` are answered
    symptoms without a label. `type_rule` is None if not all six symptoms were answered, or no picture is labeled for
    all six.
    """

    subject: str
    facts: Mapping[str, str]
    sample: Sample
    pictures: int
    persons: int
    calibrated_on: str | None
    symptoms: tuple[SymptomEvaluation, ...]
    not_labeled: tuple[str, ...]
    mean: Means
    subgroups: Mapping[str, tuple[Subgroup, ...]]
    type_rule: TypeAgreement | None

    @property
    def partly_labeled(self) -> bool:
        """Whether a picture lacks the label of an answered symptom."""
        return bool(self.not_labeled) or any(symptom.pictures < self.pictures for symptom in self.symptoms)

    def as_json(self) -> dict[str, Any]:
        """The tree as JSON: arrays as lists, numbers to five digits, null for what is undefined."""
        document: dict[str, Any] = _plain(self)
        return document


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, _DIGITS)
    return value

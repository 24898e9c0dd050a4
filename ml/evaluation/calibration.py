"""Calibration: a temperature and an abstention threshold per symptom, fitted on pictures reserved for it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch.nn import functional

from ml.errors import RunInvalid
from ml.evaluation.answers import UNLABELED, Answers, Raw
from ml.validation import first_fault

CALIBRATION_FILE = "calibration.json"

#: No network needs more or less, but on pictures without a single error the best temperature would be 0.
TEMPERATURE_RANGE = (0.05, 20.0)

#: At most this share of the findings abstains, and only findings that are right less often than the accuracy below.
MAX_ABSTAINED_SHARE = 0.15
MISLEADING_ACCURACY = 0.5

_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2
_SEARCH_STEPS = 60


class Fitted(BaseModel):
    """One symptom's temperature and the confidence below which its findings abstain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(gt=0, le=100)
    threshold: float = Field(ge=0, le=1)


class Calibration(BaseModel):
    """The fits of all symptoms, with the part and the number of pictures; saved as `calibration.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: str
    pictures: int
    symptoms: dict[str, Fitted]

    @property
    def temperatures(self) -> dict[str, float]:
        """The temperature of each fitted symptom, by key."""
        return {key: fitted.temperature for key, fitted in self.symptoms.items()}

    @property
    def thresholds(self) -> dict[str, float]:
        """The threshold of each fitted symptom, a confidence of 0 to 1, by key."""
        return {key: fitted.threshold for key, fitted in self.symptoms.items()}

    def save(self, path: Path) -> None:
        """Write the fits as JSON. Raises OSError."""
        path.write_text(json.dumps(self.model_dump(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a saved calibration. Raises RunInvalid."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise RunInvalid(
                f"{path} cannot be read: {error.strerror}. Write it with `python -m ml evaluate`."
            ) from error
        except ValidationError as error:
            raise RunInvalid(f"{path} is not a calibration: {first_fault(error)}.") from error


def calibrate(answers: Answers, part: str) -> Calibration:
    """Fit temperature, then threshold, of each symptom on answers to pictures that nothing else is measured on.

    Each is fitted on the pictures that are labeled for it, and a symptom without any is left out.
    """
    fitted = {}
    for symptom, raw, grades in zip(answers.symptoms, answers.raw, answers.grades.T, strict=True):
        labeled = grades != UNLABELED
        if labeled.any():
            fitted[symptom] = _fit(Raw(raw.values[:, labeled], raw.output), grades[labeled])
    return Calibration(part=part, pictures=len(answers), symptoms=fitted)


def _fit(raw: Raw, grades: np.ndarray) -> Fitted:
    temperature = fit_temperature(raw, grades)
    probabilities = raw.probabilities(temperature)
    right = probabilities.argmax(axis=1) == grades
    return Fitted(temperature=temperature, threshold=choose_threshold(probabilities.max(axis=1), right))


def negative_log_likelihood(raw: Raw, grades: np.ndarray, temperature: float = 1.0) -> float:
    """The mean of -log probability of the true `grades` `[n]`, with the raw outputs divided by a temperature.

    The binary losses of CORN's conditional tasks "above k, among those of at least k" sum to the same (Shi, Cao and
    Raschka, arXiv 2111.08851). Computed from logarithms, so that no probability rounds to 0.
    """
    scaled = torch.from_numpy(raw.values).double() / temperature
    truth = torch.from_numpy(grades).expand(scaled.shape[:2])
    if raw.output == "softmax":
        likelihoods = scaled.log_softmax(dim=2).gather(2, truth[..., None])[..., 0]
    else:
        tasks = torch.arange(scaled.shape[2])
        signed = torch.where(truth[..., None] > tasks, scaled, -scaled)
        likelihoods = (functional.logsigmoid(signed) * (truth[..., None] >= tasks)).sum(dim=2)
    views = len(raw.values)
    return float(math.log(views) - likelihoods.logsumexp(dim=0).mean())


def fit_temperature(raw: Raw, grades: np.ndarray) -> float:
    """The temperature with the least negative log-likelihood (Guo et al., arXiv 1706.04599), in `TEMPERATURE_RANGE`.

    Found by golden-section search over log T. For one view the loss is convex in 1/T, for both kinds of output, so it
    has one minimum; for several views, whose probabilities are averaged, that is not guaranteed.
    """

    def loss(logarithm: float) -> float:
        return negative_log_likelihood(raw, grades, math.exp(logarithm))

    low, high = (math.log(bound) for bound in TEMPERATURE_RANGE)
    left, right = high - _GOLDEN_RATIO * (high - low), low + _GOLDEN_RATIO * (high - low)
    at_left, at_right = loss(left), loss(right)
    for _ in range(_SEARCH_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN_RATIO * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN_RATIO * (high - low)
            at_right = loss(right)
    return math.exp((low + high) / 2)


@dataclass(frozen=True, slots=True)
class Abstention:
    """The effect of a threshold: `coverage` is the share of findings that stay, `accuracy` how often they are right.

    `abstained_accuracy` is how often the withheld findings would have been right; NaN if there are none.
    """

    threshold: float
    coverage: float
    accuracy: float
    abstained_accuracy: float

    @classmethod
    def at(cls, threshold: float, confidence: np.ndarray, right: np.ndarray) -> Self:
        """The effect of this threshold on findings with `confidence` `[n]`, 0 to 1, of which those `right`
        `[n]` are correct.
        """
        kept = confidence >= threshold
        return cls(threshold, float(kept.mean()), _mean(right[kept]), _mean(right[~kept]))


def choose_threshold(confidence: np.ndarray, right: np.ndarray) -> float:
    """The confidence below which a symptom's findings abstain, from the `confidence` `[n]` and whether it was `right`.

    The highest threshold with at most 15 % of the findings below it, of which less than half are right: so findings are
    only withheld if they would mislead more often than inform, and most people still get their answer. It is midway
    between the confidences that it separates, or 0, which withholds nothing, if there is no such threshold.
    """
    order = np.argsort(confidence, kind="stable")
    rising, hits = confidence[order], np.cumsum(right[order])
    abstained = np.arange(1, len(rising))
    separates = rising[:-1] < rising[1:]
    few = abstained <= MAX_ABSTAINED_SHARE * len(rising)
    misleading = hits[:-1] < MISLEADING_ACCURACY * abstained
    (usable,) = np.nonzero(separates & few & misleading)
    return float((rising[usable[-1]] + rising[usable[-1] + 1]) / 2) if len(usable) else 0.0


def _mean(right: np.ndarray) -> float:
    return float(right.mean()) if len(right) else math.nan

"""Figures of merit as pure functions of numpy arrays.

Those of grades take confusion matrices `[…, truth, answer]`, counted by `confusion_matrix`, and work on any number of
leading axes: so a bootstrap over a thousand resampled matrices is one call. NaN means that a figure is undefined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Bins of the calibration error, as in Guo et al., arXiv 1706.04599.
BINS = 15


def confusion_matrix(truth: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """Counts `[classes, classes]` of pictures by true class (rows) and answered class (columns), of two `[n]`."""
    cells = np.bincount(truth * classes + answers, minlength=classes * classes)
    confusion: np.ndarray = cells.reshape(classes, classes).astype(np.float64)
    return confusion


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Share of right answers."""
    return _ratio(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1)))


def within_one(confusion: np.ndarray) -> np.ndarray:
    """Share of answers at most one class off."""
    near = np.abs(_differences(confusion)) <= 1
    return _ratio((confusion * near).sum(axis=(-2, -1)), confusion.sum(axis=(-2, -1)))


def recalls(confusion: np.ndarray) -> np.ndarray:
    """Share of right answers among the pictures of each true class, `[…, classes]`; NaN if there are none."""
    return _ratio(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1))


def macro_f1(confusion: np.ndarray) -> np.ndarray:
    """The mean over classes of F1 = 2 TP / (2 TP + FP + FN).

    A class that neither occurs nor is answered has no F1 and is left out of the mean; one that occurs but is never
    answered correctly, or is answered but never occurs, counts as 0.
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    occurrences = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    f1 = np.divide(2 * right, occurrences, out=np.zeros_like(occurrences), where=occurrences > 0)
    return _ratio(f1.sum(axis=-1), (occurrences > 0).sum(axis=-1))


def quadratic_weighted_kappa(confusion: np.ndarray) -> np.ndarray:
    """Agreement beyond chance with disagreements weighted by their square: 1 - Σ w·observed / Σ w·expected.

    w = (truth - answer)², expected counts are those of independent truth and answer with the same margins (Cohen,
    Psychological Bulletin 70(4), 1968). 1 is agreement, 0 chance; undefined if truth and answers are all of one class.
    """
    weights = _differences(confusion) ** 2
    total = confusion.sum(axis=(-2, -1))
    margins = confusion.sum(axis=-1)[..., :, None] * confusion.sum(axis=-2)[..., None, :]
    observed = (weights * confusion).sum(axis=(-2, -1)) * total
    kappa: np.ndarray = 1 - _ratio(observed, (weights * margins).sum(axis=(-2, -1)))
    return kappa


def majority_baseline(confusion: np.ndarray) -> np.ndarray:
    """The accuracy of always answering the most frequent true class."""
    return _ratio(confusion.sum(axis=-1).max(axis=-1), confusion.sum(axis=(-2, -1)))


@dataclass(frozen=True, slots=True)
class Reliability:
    """Confidence and accuracy of answers, in bins of equal width over confidence 0 to 1; NaN in empty bins."""

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Reliability:
    """Bin answers by their confidence `[n]`; `right` `[n]` says which are right. Bin m of M is ((m - 1) / M, m / M]."""
    places = bin_of(confidence, bins)
    counts = np.bincount(places, minlength=bins)
    return Reliability(
        counts,
        _ratio(np.bincount(places, confidence, minlength=bins), counts),
        _ratio(np.bincount(places, right, minlength=bins), counts),
    )


def bin_of(confidence: np.ndarray, bins: int = BINS) -> np.ndarray:
    """The bin, from 0, of each confidence."""
    places: np.ndarray = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    return places


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error: the mean over answers of |accuracy - confidence| of their bin (arXiv 1706.04599)."""
    gaps = np.bincount(bin_of(confidence, bins), right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """The share of wrong answers (`risk`) among the most confident share (`coverage`) of all, by rising coverage."""

    coverage: np.ndarray
    risk: np.ndarray

    @property
    def area(self) -> float:
        """The area under the curve, AURC (Geifman, Uziel and El-Yaniv, arXiv 1805.08206): lower is better.

        Each answer counts with the risk at the coverage that first includes it. Answers of equal confidence are
        included together, since no threshold separates them.
        """
        return float((np.diff(self.coverage, prepend=0) * self.risk).sum())


def risk_coverage(confidence: np.ndarray, right: np.ndarray) -> RiskCoverage:
    """The curve with one point for each distinct confidence of `[n]` answers; `right` `[n]` says which are right."""
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    last = np.flatnonzero(np.append(falling[:-1] != falling[1:], True))
    wrong = np.cumsum(~right[order].astype(bool))
    return RiskCoverage((last + 1) / len(confidence), wrong[last] / (last + 1))


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """The share of pairs in which the positive one scores higher, ties counting half (Mann and Whitney, 1947)."""
    difference = positive[:, None] - negative[None, :]
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def _differences(confusion: np.ndarray) -> np.ndarray:
    classes = np.arange(confusion.shape[-1])
    differences: np.ndarray = np.subtract.outer(classes, classes)
    return differences


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part / whole`, NaN where the denominator is 0."""
    quotient: np.ndarray = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
    return quotient

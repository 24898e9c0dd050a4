"""The Fréchet distance between two sets of pictures, each seen as a normal distribution of features.

|m₁ - m₂|² + tr(S₁ + S₂ - 2 (S₁ S₂)^½) for means m and covariances S (Dowson and Landau, J. Multivar. Anal. 12(3),
1982), applied to pictures by Heusel et al., arXiv 1706.08500. They use Inception's features and 50,000 pictures; these
features are from EfficientNet-lite0 (`ml.gate.features`), so the numbers cannot be compared with published ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: How many times the real set is halved at random to find the noise floor.
_HALVINGS = 10


@dataclass(frozen=True, slots=True)
class FrechetDistance:
    """The distance in two parts, squared as usual: of the means, and of the covariances."""

    means: float
    covariances: float

    @property
    def total(self) -> float:
        """The squared distance: the sum of both parts."""
        return self.means + self.covariances


def frechet_distance(first: np.ndarray, second: np.ndarray) -> FrechetDistance:
    """The distance between two sets of features, `[n, width]` and `[m, width]`, of at least two rows each.

    With fewer rows than `width` the covariances are singular, and their product has no stable square root. It is not
    needed: with Sᵢ = XᵢᵀXᵢ for centered rows Xᵢ, the trace of (S₁ S₂)^½ is the sum of the singular values of X₁X₂ᵀ.
    Distances of small sets are biased upwards; `noise_floor` measures by how much. Raises ValueError for fewer than two
    rows.
    """
    if min(len(first), len(second)) < 2:
        raise ValueError("a Fréchet distance needs at least two pictures in each set")
    means = first.mean(axis=0, dtype=np.float64), second.mean(axis=0, dtype=np.float64)
    left, right = (_factor(rows, mean) for rows, mean in zip((first, second), means, strict=True))
    overlap = np.linalg.svd(left @ right.T, compute_uv=False).sum()
    covariances = np.square(left).sum() + np.square(right).sum() - 2 * overlap
    return FrechetDistance(float(np.square(means[0] - means[1]).sum()), float(max(covariances, 0.0)))


def noise_floor(features: np.ndarray, seed: int = 0) -> float:
    """The mean distance between two random halves of one set `[n, width]`.

    Raises ValueError for fewer than four rows.
    """
    random = np.random.default_rng(seed)
    half = len(features) // 2
    distances = []
    for _ in range(_HALVINGS):
        order = random.permutation(len(features))
        distances.append(frechet_distance(features[order[:half]], features[order[half:]]).total)
    return float(np.mean(distances))


def _factor(rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """A matrix X with XᵀX the covariance of the rows: the triangle of a QR, which never has more rows than columns."""
    return np.linalg.qr((rows - mean) / np.sqrt(len(rows) - 1)).R

"""Distance in feature space: how far a picture is from the scalps that the gate knows, whatever its softmax says.

A softmax is sure of itself far from everything it was trained on (Nguyen, Yosinski and Clune, arXiv 1412.1897), the
Mahalanobis distance of the features underneath isn't (Lee et al., arXiv 1807.03888). It is the norm of an affine map
of the pooled features, `|W f + b|`, where W takes the features to a few directions in which the scalps of the fit are
uncorrelated and equally spread, and b takes their mean to zero. W and b are scaled so that 1 is the limit.

Two tensors in the gate's weights file beside those of its network say all of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ml.networks.growth import SHARPNESS, SOURCE, copies_in
from ml.networks.registry import Weights

#: How many directions the distance is measured in.
DIRECTIONS = 64

#: A scalp is no farther than this.
LIMIT = 1.0

WEIGHT, BIAS = "distance.weight", "distance.bias"


def extra_tensors(width: int) -> Mapping[str, tuple[int, ...]]:
    """Names and shapes of what a gate's weights file may hold beside its network's tensors: both of them or neither.

    `width` is the length of the pooled features, which is how many numbers the network's last linear layer reads.
    """
    return {WEIGHT: (DIRECTIONS, width), BIAS: (DIRECTIONS,)}


def distances(features: torch.Tensor, tensors: Weights) -> torch.Tensor:
    """The distance `[n]` of each row of pooled features `[n, width]`."""
    away: torch.Tensor = torch.nn.functional.linear(features.float(), tensors[WEIGHT].float(), tensors[BIAS].float())
    norms: torch.Tensor = torch.linalg.vector_norm(away, dim=1)
    return norms


def admits(probability: float, distance: float | None, threshold: float) -> bool:
    """Whether a photo passes. The distance is None where the gate has no tensors for it.

    `probability` is that of "scalp", `threshold` the least that passes: at 0 every photo passes, however far.
    """
    return probability >= threshold and (threshold == 0 or distance is None or distance <= LIMIT)


def grown_distance(tensors: Weights, architecture: str) -> Weights:
    """The tensors of `extra_tensors` for features of lite0, for the network that it grows into.

    Raises ValueError for an architecture that lite0 can't grow into.
    """
    if architecture == SOURCE:
        return {name: tensors[name].float() for name in (WEIGHT, BIAS)}
    copies = copies_in(architecture)
    if copies is None:
        raise ValueError(f"{SOURCE} can't grow into {architecture}: only b0, b1 and b7 have widths that fit.")
    weight = tensors[WEIGHT].float() / SHARPNESS
    # As the last linear layer does, it reads the difference of each pair of clipped channels (`ml.networks.growth`).
    return {WEIGHT: weight if copies == 1 else torch.cat([weight, -weight], dim=1), BIAS: tensors[BIAS].float()}

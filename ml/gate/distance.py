"""Distance in feature space: how far a picture is from the scalps that the gate was fitted on.

A softmax can be confident far from everything that it was trained on (Nguyen, Yosinski and Clune, arXiv 1412.1897). The
Mahalanobis distance of the features below it reveals such inputs (Lee et al., arXiv 1807.03888). It is the norm of an
affine map of the pooled features, `|W f + b|`, where W maps the features to a few directions in which the scalps of the
fit are uncorrelated and of equal variance, and b moves their mean to zero. W and b are scaled so that the limit is 1.

Both are stored in the gate's weights file, next to the tensors of its network.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ml.networks.growth import LITE0, SHARPNESS, copies_in
from ml.networks.registry import Weights

#: The number of directions in which the distance is measured.
DIRECTIONS = 64

#: The largest distance that passes.
DISTANCE_LIMIT = 1.0

WEIGHT, BIAS = "distance.weight", "distance.bias"


def extra_tensors(width: int) -> Mapping[str, tuple[int, ...]]:
    """Names and shapes of additional tensors in a gate's weights file, which has both or neither.

    `width` is the length of the pooled features, the input of the network's last linear layer.
    """
    return {WEIGHT: (DIRECTIONS, width), BIAS: (DIRECTIONS,)}


def distances(features: torch.Tensor, tensors: Weights) -> torch.Tensor:
    """The distance `[n]` of each row of pooled features `[n, width]`."""
    away: torch.Tensor = torch.nn.functional.linear(features.float(), tensors[WEIGHT].float(), tensors[BIAS].float())
    norms: torch.Tensor = torch.linalg.vector_norm(away, dim=1)
    return norms


def admits(probability: float, distance: float | None, threshold: float) -> bool:
    """Whether a photo passes. The distance is None if the gate has no tensors for it.

    `probability` is that of "scalp", `threshold` the lowest that passes: at 0 every photo passes, at any distance.
    """
    return probability >= threshold and (threshold == 0 or distance is None or distance <= DISTANCE_LIMIT)


def grown_distance(tensors: Weights, architecture: str) -> Weights:
    """Convert the tensors of `extra_tensors` from features of lite0 to those of the network that it grows into.

    Raises ValueError for an architecture that lite0 can't grow into.
    """
    if architecture == LITE0:
        return {name: tensors[name].float() for name in (WEIGHT, BIAS)}
    copies = copies_in(architecture)
    if copies is None:
        raise ValueError(f"{LITE0} can't grow into {architecture}: only b0, b1 and b7 have widths that fit.")
    weight = tensors[WEIGHT].float() / SHARPNESS
    # Like the last linear layer, it reads the difference of each pair of clipped channels (`ml.networks.growth`).
    return {WEIGHT: weight if copies == 1 else torch.cat([weight, -weight], dim=1), BIAS: tensors[BIAS].float()}

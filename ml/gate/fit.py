"""Fitting a gate on pooled features of a frozen EfficientNet-lite0: a head, a distance, and where both let pass.

Pictures are squeezed into a square, as everywhere; features are the means of lite0's last maps over the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.distributions import Normal

from ml.gate.distance import BIAS, DIRECTIONS, LIMIT, WEIGHT, distances
from ml.growth import SOURCE
from ml.lite import EfficientNetLite0
from ml.preprocessing import Preprocessing, to_tensor
from ml.registry import Weights, create_filled_network

#: The penalty on the head's squared weights, for features of unit variance.
_PENALTY = 1e-3
#: Added to each feature's standard deviation, so that one that is nearly always 0 doesn't get a huge weight.
_LEAST_SPREAD = 0.05
#: How much of the scalps' covariance is replaced by that of a sphere (Ledoit and Wolf, J. Multivar. Anal. 88(2), 2004).
_SHRINKAGE = 0.3
#: How far from the mean a prototype lies; photographs lie about 12.5 from it.
_PROTOTYPE_DISTANCE = 12.0
#: The limit over what holds 99.5 % of the scalps that the fit didn't see. It is wide since pictures of a scope that
#: the fit never saw lie farther off than any that were varied from it: another generator's up to 1.5 times.
_MARGIN = 1.5
#: What one limit of distance weighs in the score, as log-odds.
_DISTANCE_LOG_ODDS = 10.0


@dataclass(frozen=True, slots=True)
class GateFit:
    """`tensors`: lite0's last linear layer for two classes, `_fc.weight` and `_fc.bias`, and the distance's two.

    `threshold` is the least probability of "scalp" that passes.
    """

    tensors: Weights
    threshold: float

    def scores(self, features: torch.Tensor) -> np.ndarray:
        """One number a row of features, above 0 exactly where the gate lets pass: the smaller of two margins.

        They are the log-odds of "scalp" above the threshold's, and 10 times what is left of the distance's limit.
        """
        logits = nn.functional.linear(features.float(), self.tensors["_fc.weight"], self.tensors["_fc.bias"])
        head = logits[:, 1] - logits[:, 0] - np.log(self.threshold / (1 - self.threshold))
        left = _DISTANCE_LOG_ODDS * (LIMIT - distances(features, self.tensors))
        scores: np.ndarray = torch.minimum(head, left).numpy()
        return scores


class Trunk:
    """A frozen EfficientNet-lite0 that turns pictures into pooled features."""

    def __init__(self, weights: Weights, spec: Preprocessing) -> None:
        self._spec = spec
        network = create_filled_network(SOURCE, len(weights["_fc.bias"]), spec.image_size, weights)
        self._network = cast(EfficientNetLite0, network)
        self._network.to(memory_format=torch.channels_last)

    def features(self, pictures: Iterable[Image.Image], batch: int = 16) -> torch.Tensor:
        """Float32 `[n, 1280]` of RGB pictures; they are taken one batch at a time."""
        rows, coming = [], iter(pictures)
        with torch.inference_mode():
            while some := list(islice(coming, batch)):
                inputs = torch.stack([to_tensor(picture, self._spec) for picture in some])
                maps = self._network.extract_features(inputs.contiguous(memory_format=torch.channels_last))
                rows.append(maps.mean(dim=(2, 3)))
        return torch.cat(rows)


def imagenet_prototypes(weights: Weights) -> torch.Tensor:
    """What the features `[1000, 1280]` of typical photographs of ImageNet's classes are, by the weights alone.

    A trained classifier's features gather around their class's row of the last layer, all of the rows around one mean
    (neural collapse, Papyan, Han and Donoho, arXiv 2008.08186). The mean is what ReLU6 leaves of the normal
    distributions that the last batch-norm makes. So a gate knows of photographs without having been shown one.
    """
    mean, spread = weights["_bn1.bias"], weights["_bn1.weight"].abs()
    rows = weights["_fc.weight"] - weights["_fc.weight"].mean(dim=0)
    centre = _mean_above(mean, spread) - _mean_above(mean - 6, spread)
    return (centre + _PROTOTYPE_DISTANCE * nn.functional.normalize(rows, dim=1)).clamp(0, 6)


def _mean_above(mean: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    """The mean of ReLU of a normal variable."""
    unit = Normal(0.0, 1.0)
    ratio = mean / spread
    above: torch.Tensor = mean * unit.cdf(ratio) + spread * unit.log_prob(ratio).exp()
    return above


def fit_gate(scalps: torch.Tensor, others: torch.Tensor, prototypes: torch.Tensor) -> GateFit:
    """Fit a gate on features `[n, width]` of scalps, of other things, and of `imagenet_prototypes`.

    Each fifth scalp and other thing is held out: by those the limit and the threshold are set. The threshold lies
    halfway, in log-odds, between what .5 % of the scalps stay below and what .5 % of the others exceed.
    """
    (fitted, held), (refused, held_refused) = split(scalps), split(others)
    negatives = torch.cat([refused, prototypes])
    weight, bias = _fit_head(fitted, negatives)
    direction, offset = _fit_distance(fitted, negatives)
    away = distances(held, {WEIGHT: direction, BIAS: offset})
    limit = _MARGIN * float(away.quantile(0.995))
    lowest = float((held @ weight + bias).quantile(0.005))
    highest = float((held_refused @ weight + bias).quantile(0.995))
    # The difference of the two logits is the log-odds.
    return GateFit(
        tensors={
            "_fc.weight": torch.stack([-weight, weight]) / 2,
            "_fc.bias": torch.stack([-bias, bias]) / 2,
            WEIGHT: direction / limit,
            BIAS: offset / limit,
        },
        threshold=1 / (1 + float(np.exp(-(lowest + highest) / 2))),
    )


def split(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Those that are fitted on, and the fifth that is held out."""
    held = torch.arange(len(features)) % 5 == 4
    return features[~held], features[held]


def _fit_head(scalps: torch.Tensor, others: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight `[width]` and bias of a logistic regression in which scalps and others count alike."""
    both = torch.cat([scalps, others])
    mean, spread = both.mean(dim=0), both.std(dim=0) + _LEAST_SPREAD
    inputs, truth = (both - mean) / spread, torch.cat([torch.ones(len(scalps)), torch.zeros(len(others))])
    counts = torch.where(truth == 1, 0.5 / len(scalps), 0.5 / len(others))
    weight, bias = torch.zeros(both.shape[1], requires_grad=True), torch.zeros((), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        losses = nn.functional.binary_cross_entropy_with_logits(inputs @ weight + bias, truth, reduction="none")
        total: torch.Tensor = (counts * losses).sum() + _PENALTY * weight.square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    plain = weight.detach() / spread
    return plain, bias.detach() - plain @ mean


def _fit_distance(scalps: torch.Tensor, others: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight `[DIRECTIONS, width]` and bias of the distance, not yet scaled to its limit.

    In the space in which the scalps are a unit sphere, it keeps the directions in which the others lie farthest from
    the middle: the Mahalanobis distance where it tells something, and no noise of the rest.
    """
    mean = scalps.mean(dim=0)
    covariance = torch.cov(scalps.T)
    sphere = torch.eye(len(mean)) * covariance.diagonal().mean()
    values, vectors = torch.linalg.eigh((1 - _SHRINKAGE) * covariance + _SHRINKAGE * sphere)
    whitening = vectors / values.sqrt()
    away = (others - mean) @ whitening
    strongest = torch.linalg.eigh(away.T @ away).eigenvectors[:, -DIRECTIONS:]
    weight = (whitening @ strongest).T
    return weight, -weight @ mean

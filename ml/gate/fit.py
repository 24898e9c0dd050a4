"""Fit a gate on pooled features of a frozen EfficientNet-lite0: a head, a distance, and the limits of both.

Pictures are squeezed into a square, as everywhere; features are the means of lite0's last maps over the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.distributions import Normal

from ml.gate.distance import BIAS, DIRECTIONS, DISTANCE_LIMIT, WEIGHT, distances
from ml.labels import GateClass
from ml.networks.registry import Weights

#: The penalty on the head's squared weights, for features of unit variance.
_L2_PENALTY = 1e-2
#: Added to each feature's standard deviation, so that a feature that is nearly always 0 does not get a huge weight.
_MIN_SPREAD = 0.05
#: The share of a sphere in the scalps' covariance (Ledoit and Wolf, J. Multivar. Anal. 88(2), 2004).
_SHRINKAGE = 0.3
#: The distance of prototypes from the mean; that of photographs is about 12.5.
_PROTOTYPE_DISTANCE = 12.0
#: The limit relative to the distance that contains 99.5 % of the held-out scalps. It is generous because pictures of
#: an unknown scope are farther away than any variations of known ones: those of another generator up to 1.5 times.
_LIMIT_MARGIN = 1.5
#: Limit and threshold are set on this fold of five.
HELD_OUT_FOLD = (4, 5)
#: The name of the sample of `imagenet_prototypes`.
PROTOTYPES_NAME = "ImageNet prototypes"
#: The weight of one distance limit in the score, as log-odds.
_DISTANCE_LOG_ODDS = 10.0


@dataclass(frozen=True, slots=True)
class FeatureSample:
    """Pooled features `[n, width]` of pictures from one source, all of one outcome.

    `pictures` `[n]` is the number of the picture in each row: rows of one picture are never divided between fit and
    test. The first row of a photograph shows it unchanged, further rows show variations.
    """

    name: str
    outcome: GateClass
    features: torch.Tensor
    pictures: torch.Tensor

    def divide(self, fold: int, folds: int) -> tuple[FeatureSample, FeatureSample]:
        """The rows of all other folds, and those of this fold, which has every `folds`-th picture."""
        rank = torch.unique(self.pictures, return_inverse=True)[1]
        held = rank % folds == fold
        return self._rows(~held), self._rows(held)

    def once(self) -> FeatureSample:
        """The first row of each picture."""
        order = torch.sort(self.pictures, stable=True)
        new = torch.ones_like(order.values, dtype=torch.bool)
        new[1:] = order.values[1:] != order.values[:-1]
        return self._rows(order.indices[new])

    def _rows(self, rows: torch.Tensor) -> FeatureSample:
        return replace(self, features=self.features[rows], pictures=self.pictures[rows])


@dataclass(frozen=True, slots=True)
class GateFit:
    """`tensors`: lite0's last linear layer for three classes, `_fc.weight` and `_fc.bias`, and the distance's two.

    `threshold` is the lowest probability of "scalp" that passes.
    """

    tensors: Weights
    threshold: float

    def scores(self, features: torch.Tensor) -> np.ndarray:
        """One number per row of features, above 0 exactly if the gate lets it pass: the smaller of two margins.

        These are the log-odds of "scalp" minus those of the threshold, and 10 times the limit minus the distance.
        """
        head = scalp_log_odds(self._logits(features)) - np.log(self.threshold / (1 - self.threshold))
        left = _DISTANCE_LOG_ODDS * (DISTANCE_LIMIT - distances(features, self.tensors))
        scores: np.ndarray = torch.minimum(head, left).numpy()
        return scores

    def outcomes(self, features: torch.Tensor) -> np.ndarray:
        """The gate's answer for each row `[n]`, a `GateClass`."""
        logits = self._logits(features)
        rejected = torch.where(
            logits[:, GateClass.TOO_FAR] > logits[:, GateClass.OTHER], GateClass.TOO_FAR, GateClass.OTHER
        )
        outcomes: np.ndarray = np.where(self.scores(features) > 0, GateClass.SCALP, rejected.numpy())
        return outcomes

    def _logits(self, features: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(features.float(), self.tensors["_fc.weight"], self.tensors["_fc.bias"])


def scalp_log_odds(logits: torch.Tensor) -> torch.Tensor:
    """The log-odds `[n]` of "scalp" against everything else, from logits `[n, classes]`."""
    rest = [column for column in range(logits.shape[1]) if column != GateClass.SCALP]
    return logits[:, GateClass.SCALP] - logits[:, rest].logsumexp(dim=1)


def imagenet_prototypes(weights: Weights) -> torch.Tensor:
    """Features `[1000, 1280]` of typical photographs of ImageNet's classes, computed from the weights alone.

    A trained classifier's features cluster around their class's row of the last layer, shifted by a common mean (neural
    collapse, Papyan, Han and Donoho, arXiv 2008.08186). The mean is that of ReLU6 over the normal distributions that
    the last batch-norm produces. So a gate can learn about photographs without any.
    """
    mean, spread = weights["_bn1.bias"], weights["_bn1.weight"].abs()
    rows = weights["_fc.weight"] - weights["_fc.weight"].mean(dim=0)
    center = _mean_above(mean, spread) - _mean_above(mean - 6, spread)
    return (center + _PROTOTYPE_DISTANCE * nn.functional.normalize(rows, dim=1)).clamp(0, 6)


def _mean_above(mean: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    """The mean of ReLU over a normal variable."""
    unit = Normal(0.0, 1.0)
    ratio = mean / spread
    above: torch.Tensor = mean * unit.cdf(ratio) + spread * unit.log_prob(ratio).exp()
    return above


def prototypes_sample(weights: Weights) -> FeatureSample:
    """`imagenet_prototypes` as other things."""
    prototypes = imagenet_prototypes(weights)
    return FeatureSample(PROTOTYPES_NAME, GateClass.OTHER, prototypes, torch.arange(len(prototypes)))


def fit_gate(samples: Sequence[FeatureSample]) -> GateFit:
    """Fit a gate on samples of all three outcomes. All outcomes have equal weight, and so have the samples of each.

    A fifth of the pictures of each sample is held out, to set limit and threshold. The threshold is halfway, in
    log-odds, between the .5 % quantile of the scalps and the 99.5 % quantile of the rest, but never above a third, the
    probability by chance: scalps of an unknown scope score several units of log-odds lower than known ones, and
    rejecting them is worse than letting something else pass.
    """
    parts = [sample.divide(*HELD_OUT_FOLD) for sample in samples if sample.name != PROTOTYPES_NAME]
    kept = [*(part for part, _ in parts), *(sample for sample in samples if sample.name == PROTOTYPES_NAME)]
    # A sample with a single photograph is empty if its fold is held out.
    fitted = [sample for sample in kept if len(sample.features)]
    weight, bias = _fit_head(fitted)
    direction, offset = _fit_distance(fitted)
    scalps = [held.features for _, held in parts if held.outcome == GateClass.SCALP]
    limit = _LIMIT_MARGIN * max(
        float(distances(features, {WEIGHT: direction, BIAS: offset}).quantile(0.995)) for features in scalps
    )
    lowest = min(float(scalp_log_odds(features @ weight.T + bias).quantile(0.005)) for features in scalps)
    rejected = torch.cat([held.features for _, held in parts if held.outcome != GateClass.SCALP])
    highest = float(scalp_log_odds(rejected @ weight.T + bias).quantile(0.995))
    return GateFit(
        tensors={"_fc.weight": weight, "_fc.bias": bias, WEIGHT: direction / limit, BIAS: offset / limit},
        threshold=min(1 / (1 + float(np.exp(-(lowest + highest) / 2))), 1 / len(GateClass)),
    )


def _shares(samples: Sequence[FeatureSample]) -> torch.Tensor:
    """The weight of each row, 1 in total: equal for all outcomes, and for all samples of an outcome."""
    outcomes = [sample.outcome for sample in samples]
    parts = [1 / (len(set(outcomes)) * outcomes.count(each.outcome) * len(each.features)) for each in samples]
    return torch.cat([torch.full((len(each.features),), part) for each, part in zip(samples, parts, strict=True)])


def _fit_head(samples: Sequence[FeatureSample]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight `[3, width]` and bias `[3]` of a multinomial logistic regression."""
    rows, shares = torch.cat([sample.features for sample in samples]), _shares(samples)
    truth = torch.cat([torch.full((len(sample.features),), sample.outcome) for sample in samples])
    mean, spread = rows.mean(dim=0), rows.std(dim=0) + _MIN_SPREAD
    inputs = (rows - mean) / spread
    weight = torch.zeros(len(GateClass), rows.shape[1], requires_grad=True)
    bias = torch.zeros(len(GateClass), requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        losses = nn.functional.cross_entropy(nn.functional.linear(inputs, weight, bias), truth, reduction="none")
        total: torch.Tensor = (shares * losses).sum() + _L2_PENALTY * weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    plain = weight.detach() / spread
    return plain, bias.detach() - plain @ mean


def _fit_distance(samples: Sequence[FeatureSample]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight `[DIRECTIONS, width]` and bias of the distance, not yet scaled to its limit.

    In the space in which the scalps are a unit sphere, it keeps the directions in which the rest is farthest from the
    center: the informative part of the Mahalanobis distance, without the noise of the other directions.
    """
    (scalps, counts), (rest, rest_counts) = (
        (torch.cat([each.features for each in some]), _shares(some))
        for some in (
            [sample for sample in samples if sample.outcome == GateClass.SCALP],
            [sample for sample in samples if sample.outcome != GateClass.SCALP],
        )
    )
    mean = counts @ scalps
    covariance = torch.cov(scalps.T, aweights=counts)
    sphere = torch.eye(len(mean)) * covariance.diagonal().mean()
    values, vectors = torch.linalg.eigh((1 - _SHRINKAGE) * covariance + _SHRINKAGE * sphere)
    whitening = vectors / values.sqrt()
    away = (rest - mean) @ whitening
    strongest = torch.linalg.eigh((rest_counts[:, None] * away).T @ away).eigenvectors[:, -DIRECTIONS:]
    weight = (whitening @ strongest).T
    return weight, -weight @ mean

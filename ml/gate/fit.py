"""Fitting a gate on pooled features of a frozen EfficientNet-lite0: a head, a distance, and where both let pass.

Pictures are squeezed into a square, as everywhere; features are the means of lite0's last maps over the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.distributions import Normal

from ml.gate.distance import BIAS, DIRECTIONS, LIMIT, WEIGHT, distances
from ml.labels import GateClass
from ml.networks.registry import Weights

#: The penalty on the head's squared weights, for features of unit variance.
_PENALTY = 1e-2
#: Added to each feature's standard deviation, so that one that is nearly always 0 doesn't get a huge weight.
_LEAST_SPREAD = 0.05
#: How much of the scalps' covariance is replaced by that of a sphere (Ledoit and Wolf, J. Multivar. Anal. 88(2), 2004).
_SHRINKAGE = 0.3
#: How far from the mean a prototype lies; photographs lie about 12.5 from it.
_PROTOTYPE_DISTANCE = 12.0
#: The limit over what holds 99.5 % of the scalps that the fit didn't see. It is wide since pictures of a scope that
#: the fit never saw lie farther off than any that were varied from it: another generator's up to 1.5 times.
_MARGIN = 1.5
#: The fifth of the pictures by which limit and threshold are set.
HELD_OUT = (4, 5)
#: The name of the sample of `imagenet_prototypes`.
PROTOTYPES = "ImageNet prototypes"
#: What one limit of distance weighs in the score, as log-odds.
_DISTANCE_LOG_ODDS = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Pooled features `[n, width]` of pictures from one source, all of one outcome.

    `pictures` `[n]` says by number which picture each row shows: rows of one picture are never divided between fit and
    test. The first row of each photograph shows it as it is, further ones varied.
    """

    name: str
    outcome: GateClass
    features: torch.Tensor
    pictures: torch.Tensor

    def divide(self, fold: int, folds: int) -> tuple[Sample, Sample]:
        """The rows of all other folds, and those of this one: each `folds`-th picture."""
        rank = torch.unique(self.pictures, return_inverse=True)[1]
        held = rank % folds == fold
        return self._rows(~held), self._rows(held)

    def once(self) -> Sample:
        """The first row of each picture."""
        order = torch.sort(self.pictures, stable=True)
        new = torch.ones_like(order.values, dtype=torch.bool)
        new[1:] = order.values[1:] != order.values[:-1]
        return self._rows(order.indices[new])

    def _rows(self, rows: torch.Tensor) -> Sample:
        return replace(self, features=self.features[rows], pictures=self.pictures[rows])


@dataclass(frozen=True, slots=True)
class GateFit:
    """`tensors`: lite0's last linear layer for three classes, `_fc.weight` and `_fc.bias`, and the distance's two.

    `threshold` is the least probability of "scalp" that passes.
    """

    tensors: Weights
    threshold: float

    def scores(self, features: torch.Tensor) -> np.ndarray:
        """One number a row of features, above 0 exactly where the gate lets pass: the smaller of two margins.

        They are the log-odds of "scalp" above the threshold's, and 10 times what is left of the distance's limit.
        """
        head = scalp_log_odds(self._logits(features)) - np.log(self.threshold / (1 - self.threshold))
        left = _DISTANCE_LOG_ODDS * (LIMIT - distances(features, self.tensors))
        scores: np.ndarray = torch.minimum(head, left).numpy()
        return scores

    def outcomes(self, features: torch.Tensor) -> np.ndarray:
        """What the gate says of each row `[n]`: a `GateClass`."""
        logits = self._logits(features)
        refused = torch.where(
            logits[:, GateClass.TOO_FAR] > logits[:, GateClass.OTHER], GateClass.TOO_FAR, GateClass.OTHER
        )
        outcomes: np.ndarray = np.where(self.scores(features) > 0, GateClass.SCALP, refused.numpy())
        return outcomes

    def _logits(self, features: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(features.float(), self.tensors["_fc.weight"], self.tensors["_fc.bias"])


def scalp_log_odds(logits: torch.Tensor) -> torch.Tensor:
    """The log-odds `[n]` of "scalp" against everything else, of logits `[n, classes]`."""
    rest = [column for column in range(logits.shape[1]) if column != GateClass.SCALP]
    return logits[:, GateClass.SCALP] - logits[:, rest].logsumexp(dim=1)


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


def prototypes_sample(weights: Weights) -> Sample:
    """`imagenet_prototypes` as other things."""
    prototypes = imagenet_prototypes(weights)
    return Sample(PROTOTYPES, GateClass.OTHER, prototypes, torch.arange(len(prototypes)))


def fit_gate(samples: Sequence[Sample]) -> GateFit:
    """Fit a gate on samples of all three outcomes. The outcomes count alike, and so do the samples of each.

    A fifth of the pictures of each is held out: by those the limit and the threshold are set. The threshold lies
    halfway, in log-odds, between what .5 % of the scalps stay below and what .5 % of the rest exceed, but never above
    a third, what each of three outcomes has by chance: scalps of a scope that the fit never saw score lower by several
    units of log-odds than those that it saw, and to refuse them is worse than to let something else pass.
    """
    parts = [sample.divide(*HELD_OUT) for sample in samples if sample.name != PROTOTYPES]
    kept = [*(part for part, _ in parts), *(sample for sample in samples if sample.name == PROTOTYPES)]
    # Of a single photograph nothing is left where its fold is held out.
    fitted = [sample for sample in kept if len(sample.features)]
    weight, bias = _fit_head(fitted)
    direction, offset = _fit_distance(fitted)
    scalps = [held.features for _, held in parts if held.outcome == GateClass.SCALP]
    limit = _MARGIN * max(
        float(distances(features, {WEIGHT: direction, BIAS: offset}).quantile(0.995)) for features in scalps
    )
    lowest = min(float(scalp_log_odds(features @ weight.T + bias).quantile(0.005)) for features in scalps)
    refused = torch.cat([held.features for _, held in parts if held.outcome != GateClass.SCALP])
    highest = float(scalp_log_odds(refused @ weight.T + bias).quantile(0.995))
    return GateFit(
        tensors={"_fc.weight": weight, "_fc.bias": bias, WEIGHT: direction / limit, BIAS: offset / limit},
        threshold=min(1 / (1 + float(np.exp(-(lowest + highest) / 2))), 1 / len(GateClass)),
    )


def _shares(samples: Sequence[Sample]) -> torch.Tensor:
    """How much each row of the samples counts, 1 in all: outcomes alike, and the samples of an outcome alike."""
    outcomes = [sample.outcome for sample in samples]
    parts = [1 / (len(set(outcomes)) * outcomes.count(each.outcome) * len(each.features)) for each in samples]
    return torch.cat([torch.full((len(each.features),), part) for each, part in zip(samples, parts, strict=True)])


def _fit_head(samples: Sequence[Sample]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight `[3, width]` and bias `[3]` of a multinomial logistic regression."""
    rows, shares = torch.cat([sample.features for sample in samples]), _shares(samples)
    truth = torch.cat([torch.full((len(sample.features),), sample.outcome) for sample in samples])
    mean, spread = rows.mean(dim=0), rows.std(dim=0) + _LEAST_SPREAD
    inputs = (rows - mean) / spread
    weight = torch.zeros(len(GateClass), rows.shape[1], requires_grad=True)
    bias = torch.zeros(len(GateClass), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        losses = nn.functional.cross_entropy(nn.functional.linear(inputs, weight, bias), truth, reduction="none")
        total: torch.Tensor = (shares * losses).sum() + _PENALTY * weight.square().sum()
        total.backward()
        return total

    optimiser.step(loss)
    plain = weight.detach() / spread
    return plain, bias.detach() - plain @ mean


def _fit_distance(samples: Sequence[Sample]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight `[DIRECTIONS, width]` and bias of the distance, not yet scaled to its limit.

    In the space in which the scalps are a unit sphere, it keeps the directions in which the rest lies farthest from
    the middle: the Mahalanobis distance where it tells something, and no noise of what is left.
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

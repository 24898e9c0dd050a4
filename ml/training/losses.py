"""Losses over four ordered grades. Each takes outputs `[n, symptoms, outputs]` and grades `[n, symptoms]`.

What a picture has no label for (`UNLABELED`) costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from ml.data.records import UNLABELED
from ml.labels import GRADES
from ml.training.recipe import Recipe

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

#: Exponent of the distance in `class_distance`: that of the weights of the quadratic kappa.
DISTANCE_POWER = 2.0

#: One box more or less around a flake depends on the annotator; twice the area does not.
CLEARLY_MORE = 2.0


def create_loss(recipe: Recipe, grades: np.ndarray) -> Loss:
    """The recipe's loss as a mean over all labels; `grades` `[n, symptoms]` are those to balance by."""
    weights = torch.from_numpy(grade_weights(grades)) if recipe.class_balance else None

    def loss(outputs: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        labeled = truth != UNLABELED
        truth = truth.clamp_min(0)
        match recipe.loss:
            case "cross_entropy":
                each = cross_entropy(outputs, truth, recipe.label_smoothing)
            case "distance":
                each = class_distance(outputs, truth)
            case "corn":
                each = corn(outputs, truth)
        if weights is not None:
            each = each * weights.to(each.device).gather(1, truth.T).T
        return (each * labeled).sum() / labeled.sum().clamp_min(1)

    return loss


def cross_entropy(outputs: torch.Tensor, truth: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """Cross-entropy `[n, symptoms]`, with a share of the target spread evenly (Szegedy et al., arXiv 1512.00567)."""
    return functional.cross_entropy(outputs.movedim(-1, 1), truth, reduction="none", label_smoothing=smoothing)


def class_distance(outputs: torch.Tensor, truth: torch.Tensor, power: float = DISTANCE_POWER) -> torch.Tensor:
    """Class-distance-weighted cross-entropy `[n, symptoms]` (Polat et al., arXiv 2202.05167).

    The sum over the wrong grades of -log(1 - p) times their distance to the right one, to the given power.
    """
    grades = torch.arange(outputs.shape[-1], device=outputs.device)
    distance = (grades - truth[..., None]).abs().to(outputs.dtype) ** power
    # log(1 - p_i) is the log-sum-exp of the others minus that of all.
    others = outputs[..., None, :].expand(*outputs.shape, outputs.shape[-1]).clone()
    others.diagonal(dim1=-2, dim2=-1).fill_(float("-inf"))
    log_not = others.logsumexp(dim=-1) - outputs.logsumexp(dim=-1, keepdim=True)
    return -(distance * log_not).sum(dim=-1)


def corn(outputs: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """CORN's loss `[n, symptoms]` (Shi, Cao and Raschka, arXiv 2111.08851).

    Output k is trained on the pictures of a grade of at least k alone, to say whether the grade is above k. The mean
    over pictures weighs each such question alike.
    """
    ranks = torch.arange(outputs.shape[-1], device=outputs.device)
    asked = (truth[..., None] >= ranks).to(outputs.dtype)
    above = (truth[..., None] > ranks).to(outputs.dtype)
    each = functional.binary_cross_entropy_with_logits(outputs, above, reduction="none")
    return (each * asked).sum(dim=-1)


def rank_marked(scores: torch.Tensor, marked: torch.Tensor) -> torch.Tensor:
    """How badly scores `[n, symptoms]` rank pictures by their marked shares `[n, symptoms]`, NaN where unknown.

    RankNet's loss (Burges et al., Learning to rank using gradient descent, ICML 2005): the mean of log(1 + exp(-d))
    over the pairs in which one picture has `CLEARLY_MORE` times the other's share, d being by how much its score is
    higher; then the mean over the symptoms with such pairs. 0 where there is none. It says nothing of the level.
    """
    clearly = (marked[:, None] > CLEARLY_MORE * marked[None]).to(scores.dtype)
    pairs = clearly.sum(dim=(0, 1))
    each = (functional.softplus(scores[None] - scores[:, None]) * clearly).sum(dim=(0, 1)) / pairs.clamp_min(1)
    return each.sum() / (pairs > 0).sum().clamp_min(1)


def grade_weights(grades: np.ndarray) -> np.ndarray:
    """Weights `[symptoms, 4]` in float32 for grades `[n, symptoms]`, 1 on average over the pictures.

    Inverse square roots of the shares: halfway between no balance and equal weight for each grade, which on grades that
    make up half a percent would let a handful of pictures rule. A grade that does not occur weighs 1.
    """
    counts = (grades[:, :, None] == np.arange(len(GRADES))).sum(axis=0)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    weights = np.where(shares > 0, 1 / np.sqrt(np.where(shares > 0, shares, 1)), 0)
    weights = weights / np.maximum((weights * shares).sum(axis=1, keepdims=True), 1e-9)
    return np.where(shares > 0, weights, 1).astype(np.float32)

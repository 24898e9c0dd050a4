"""A recipe's optimizer, learning rate and averaging of weights."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

from ml.training.recipe import Recipe


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """The rate after this many epochs: a linear warm-up, then half a cosine to zero (arXiv 1608.03983), or constant."""
    if epoch < recipe.warmup_epochs:
        return recipe.learning_rate * epoch / recipe.warmup_epochs
    if recipe.schedule == "constant":
        return recipe.learning_rate
    done = (epoch - recipe.warmup_epochs) / max(recipe.epochs - recipe.warmup_epochs, 1e-9)
    return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def create_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer; weight decay applies to convolutions and linear layers, not to batch-norms and biases."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [each for each in parameters if each.dim() > 1], "weight_decay": recipe.weight_decay},
        {"params": [each for each in parameters if each.dim() <= 1], "weight_decay": 0.0},
    ]
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(groups, lr=recipe.learning_rate)


def average_by(decay: float) -> Callable[..., None]:
    """An averaging function with this decay, or a lower one in the first steps, when the weights are still poor."""

    def average(averaged: list[torch.Tensor], current: list[torch.Tensor], updates: torch.Tensor | int) -> None:
        share = 1 - min(decay, (1 + int(updates)) / (10 + int(updates)))
        for mean, value in zip(averaged, current, strict=True):
            if torch.is_floating_point(mean):
                mean.lerp_(value.to(mean.dtype), share)
            else:
                mean.copy_(value)

    return average

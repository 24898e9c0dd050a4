"""What a network's last layer means: a softmax over grades, or the conditional thresholds of CORN."""

from __future__ import annotations

from typing import Literal

import torch

from ml.levels import Levels

Output = Literal["softmax", "corn"]


def outputs_for(classes: int, output: Output) -> int:
    """How many numbers the last layer gives for so many classes."""
    return classes - 1 if output == "corn" else classes


def to_probabilities(outputs: torch.Tensor, output: Output, temperature: float = 1.0) -> torch.Tensor:
    """Probabilities `[…, classes]` of raw outputs `[…, outputs_for(classes)]`, divided by `temperature` first.

    In CORN (Shi, Cao and Raschka, arXiv 2111.08851) the sigmoid of output k is the probability of a grade above k among
    those of at least k, so the products of the first ones are the probabilities of a grade above each k.
    """
    scaled = outputs / temperature
    if output == "softmax":
        return scaled.softmax(dim=-1)
    above = scaled.sigmoid().cumprod(dim=-1)
    least = torch.cat([torch.ones_like(above[..., :1]), above], dim=-1)
    return least - torch.cat([above, torch.zeros_like(above[..., :1])], dim=-1)


def to_answers(
    outputs: torch.Tensor, output: Output, temperature: float = 1.0, levels: Levels | None = None
) -> torch.Tensor:
    """What a model says, `[n, classes]` in float64, of the raw outputs `[views, n, outputs]` of all its views.

    Their probabilities are averaged, and calibrated where the model has levels. In float64, so that a saturated
    softmax keeps the differences that the levels' score is made of.
    """
    probabilities = to_probabilities(outputs.double(), output, temperature).mean(dim=0)
    return probabilities if levels is None else levels.apply(probabilities)

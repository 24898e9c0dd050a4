"""The meaning of a network's last layer: a softmax over grades, or the conditional thresholds of CORN."""

from __future__ import annotations

from typing import Literal

import torch

from ml.levels import Levels

Output = Literal["softmax", "corn"]


def outputs_for(classes: int, output: Output) -> int:
    """How many numbers the last layer returns for this many classes."""
    return classes - 1 if output == "corn" else classes


def to_probabilities(outputs: torch.Tensor, output: Output, temperature: float = 1.0) -> torch.Tensor:
    """Probabilities `[…, classes]` of raw outputs `[…, outputs_for(classes)]`, divided by `temperature` first.

    In CORN (Shi, Cao and Raschka, arXiv 2111.08851) the sigmoid of output k is the probability that a grade of at least
    k is above k, so the product of the first k + 1 of them is the probability of a grade above k.
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
    """A model's probabilities `[n, classes]`, float64, from the raw outputs `[views, n, outputs]` of all its views.

    They are averaged over the views, and calibrated if the model has levels. Float64 keeps the small differences of a
    saturated softmax, from which the score of the levels is computed.
    """
    probabilities = to_probabilities(outputs.double(), output, temperature).mean(dim=0)
    return probabilities if levels is None else levels.apply(probabilities)

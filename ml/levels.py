"""Levels: calibrate a grader's probabilities without changing how it ranks photos.

On photographs of an unknown scope a grader may rank well and still call nearly all of them severe. So its four
probabilities become one score, and the score becomes four probabilities again, by a proportional-odds model (McCullagh,
Journal of the Royal Statistical Society B 42(2), 1980). Whatever its parameters, a photo with a higher score gets a
higher expected grade.
"""

from __future__ import annotations

from typing import Annotated, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

#: Smaller probabilities are raised to this, so that the score of a saturated grader stays finite, within ±69.
MIN_PROBABILITY = 1e-30


class Levels(BaseModel):
    """`P(grade > k) = sigmoid(slope · score - cutpoints[k])` for k = 0, 1, 2; `cutpoints` rise."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    slope: Annotated[float, Field(gt=0, le=1000)]
    cutpoints: tuple[float, float, float]

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        first, second, third = self.cutpoints
        if not first < second < third:
            raise ValueError("the cutpoints of levels must rise")
        return self

    def apply(self, probabilities: torch.Tensor) -> torch.Tensor:
        """Calibrated probabilities `[…, 4]`, float64, from a grader's `[…, 4]`."""
        return self.of_scores(score(probabilities))

    def of_scores(self, scores: torch.Tensor) -> torch.Tensor:
        """Calibrated probabilities `[…, 4]`, float64, from scores `[…]`."""
        cutpoints = torch.tensor(self.cutpoints, dtype=torch.float64, device=scores.device)
        logits = self.slope * scores.double()[..., None] - cutpoints
        above, below = logits.sigmoid(), (-logits).sigmoid()
        # P(grade = k) = P(> k - 1) - P(> k) as a product, which is exact even if both are nearly 1:
        # sigmoid(a) - sigmoid(b) = sigmoid(a) · sigmoid(-b) · (1 - exp(b - a)).
        gaps = -torch.expm1(cutpoints[:-1] - cutpoints[1:])
        between = above[..., :-1] * below[..., 1:] * gaps
        return torch.cat([below[..., :1], between, above[..., -1:]], dim=-1)


def score(probabilities: torch.Tensor) -> torch.Tensor:
    """The score `[…]`, float64, of probabilities `[…, 4]`: the mean log-odds of a grade above k, over k = 0, 1, 2.

    If one photo is at least as likely as another to be above each grade, its score is at least as high.
    """
    exact = probabilities.double()
    # Both sums start from their small end to avoid the rounding of 1 minus something.
    above = exact.flip(-1).cumsum(dim=-1).flip(-1)[..., 1:].clamp(min=MIN_PROBABILITY)
    below = exact.cumsum(dim=-1)[..., :-1].clamp(min=MIN_PROBABILITY)
    return (above.log() - below.log()).mean(dim=-1)

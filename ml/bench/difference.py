"""How far a line's answers are from resident eager float32: no line may win by computing something else.

Rounding in half precision moves single answers of untrained networks far: over 16 photos OpenVINO in bfloat16 moved one
probability of the seeded B7 by .80 and the mean one by .023, where the answers to another photo are .067 away and those
to the mirrored photo .078. So half precision is judged by the mean, as a share of what another photo would change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: The largest difference of a probability that float32 allows, where the order of additions is all that differs.
LARGEST = 1e-3
#: The share of another photo's mean difference that half precision allows. On CUDA float32 convolutions are
#: TensorFloat-32 unless told otherwise (torch.backends.cudnn.allow_tf32), which has the mantissa of float16.
SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Difference:
    """Of probabilities: the `largest` one, and the mean as a `share` of what another photo would change.

    `share` is None for one photo alone, or where all photos have the same answers: half precision is not judged then.
    """

    largest: float
    share: float | None

    @classmethod
    def between(cls, probabilities: np.ndarray, reference: np.ndarray) -> Difference:
        """Of two answers `[photos, graders, grades]` to the same photos."""
        apart = np.abs(probabilities - reference)
        others = [np.abs(np.roll(reference, step, axis=0) - reference).mean() for step in range(1, len(reference))]
        other = float(np.mean(others)) if others else 0.0
        return cls(float(apart.max()), float(apart.mean()) / other if other else None)

    def worst(self, other: Difference) -> Difference:
        """The larger ones of two."""
        shares = [share for share in (self.share, other.share) if share is not None]
        return Difference(max(self.largest, other.largest), max(shares, default=None))

    def fault(self, precision: str) -> str | None:
        """How far these are from the same networks, computed in this precision; None where they may be those."""
        if precision == "float32":
            return f"{self.largest:.2g}" if self.largest > LARGEST else None
        if self.share is None or self.share <= SHARE:
            return None
        return f"{self.share:.0%} of what another photo would change"

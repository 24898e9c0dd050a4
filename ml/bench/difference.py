"""How far a line's answers are from resident eager float32: no line may win by computing something else.

Rounding in half precision can change single answers of untrained networks a lot: over 16 photos OpenVINO in bfloat16
changed one probability of the seeded B7 by .80, and .023 on average, where the answers for another photo differ by .067
and those for the mirrored photo by .078. So half precision is judged by the mean, relative to that of another photo.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: The largest difference of a probability in float32, in which only the order of additions may differ.
MAX_FLOAT32_DIFFERENCE = 1e-3
#: The largest mean difference in half precision, relative to that of another photo. On CUDA float32 convolutions use
#: TensorFloat-32 by default (torch.backends.cudnn.allow_tf32), which has the mantissa of float16.
MAX_HALF_PRECISION_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Difference:
    """Differences of probabilities: the `largest`, and the mean as a `share` of that of another photo.

    `share` is None for a single photo, or if all photos have the same answers: then half precision is not judged.
    """

    largest: float
    share: float | None

    @classmethod
    def between(cls, probabilities: np.ndarray, reference: np.ndarray) -> Difference:
        """The difference of two answers `[photos, graders, grades]` for the same photos."""
        apart = np.abs(probabilities - reference)
        others = [np.abs(np.roll(reference, step, axis=0) - reference).mean() for step in range(1, len(reference))]
        other = float(np.mean(others)) if others else 0.0
        return cls(float(apart.max()), float(apart.mean()) / other if other else None)

    def worst(self, other: Difference) -> Difference:
        """The larger values of two."""
        shares = [share for share in (self.share, other.share) if share is not None]
        return Difference(max(self.largest, other.largest), max(shares, default=None))

    def fault(self, precision: str) -> str | None:
        """The difference, if it is too large for the same networks in this precision; else None."""
        if precision == "float32":
            return f"{self.largest:.2g}" if self.largest > MAX_FLOAT32_DIFFERENCE else None
        if self.share is None or self.share <= MAX_HALF_PRECISION_SHARE:
            return None
        return f"{self.share:.0%} of the difference of another photo"

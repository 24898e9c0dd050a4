"""View: how much of a scalp the lens sees, and how large that makes everything on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.data.synthetic.texture import SIZE, stream

#: Ranges of the scale in pixels per millimeter at 640 pixels, and how often each occurs. AI Hub's scopes show hairs 6
#: to 16 pixels wide; stronger ones show them up to 40 wide; a phone close to a parting sees three centimeters and more.
_SCALES = ((0.56, (80, 210)), (0.24, (210, 440)), (0.2, (18, 80)))

#: Below this scale a picture has hundreds of hairs, and the hair is parted to show the skin.
PARTED_BELOW = 48


@dataclass(frozen=True, slots=True)
class View:
    """`scale` is in pixels per millimeter. `parting` is a point on the parting and its direction in radians."""

    scale: float
    parting: tuple[np.ndarray, float] | None

    def beside(self, point: np.ndarray) -> float:
        """How far in millimeters a point `(x, y)` in pixels lies from the parting, negative on its other side."""
        assert self.parting is not None
        place, angle = self.parting
        return float((point - place) @ np.array((-np.sin(angle), np.cos(angle)))) / self.scale


def choose_view(seed: int) -> View:
    """The view of a picture; the same seed gives the same one."""
    random = stream(seed, "view")
    shares = np.array([share for share, _ in _SCALES])
    low, high = _SCALES[int(random.choice(len(_SCALES), p=shares / shares.sum()))][1]
    scale = float(np.exp(random.uniform(np.log(low), np.log(high))))
    place, angle = random.uniform((0.3, 0.3), (0.7, 0.7)) * SIZE, float(random.uniform(0, 2 * np.pi))
    return View(scale, (place, angle) if scale < PARTED_BELOW else None)

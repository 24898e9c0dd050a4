"""Bald skin: the glossy net of lines that shows where hair is gone."""

from __future__ import annotations

import numpy as np

from ml.data.synthetic.texture import cells, cover, noise, step, stream
from ml.data.synthetic.view import View


def lay_relief(scene: np.ndarray, grade: int, seed: int, view: View) -> None:
    """Polygons of glossy lines on skin without hair, faint at hair loss of grade 2 and clear at 3."""
    if grade < 2:
        return
    random = stream(seed, "relief of bald skin")
    fields = cells(random, float(np.clip(random.uniform(0.22, 0.45) * view.scale, 9, 130)), warp=0.18)
    line = 1 - step(fields.edge, 0.0, random.uniform(0.12, 0.25))
    patches = step(noise(random, 90) + 0.6 * noise(random, 34), -0.4, 1.2)
    broken = step(noise(random, float(np.clip(0.08 * view.scale, 4, 30))), -0.6, 1.4)
    strength = (0.12, 0.26)[grade - 2] * random.uniform(0.3, 1.2)
    cover(scene, line * patches * broken * np.float32(strength), (1.0, 0.99, 0.97))

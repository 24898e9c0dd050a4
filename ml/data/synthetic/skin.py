"""Skin: translucent, smooth and deep, with clouds of color, a faint net of furrows, and now and then a brown dot."""

from __future__ import annotations

import numpy as np

from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, absorb, cells, noise, spot, step, stream
from ml.data.synthetic.view import View

#: The finest cloud in pixels: light scatters in skin, so nothing below its surface is finer.
_MIN_GRAIN = 5.0

#: What blood and melanin take from red, green and blue.
BLOOD = (0.02, 0.42, 0.34)
MELANIN = (0.22, 0.42, 0.62)


def lay_skin(seed: int, person: int, view: View) -> np.ndarray:
    """Bare skin of a person as a scene (3, height, width)."""
    traits, random = stream(person, "skin of a person"), stream(seed, "skin")
    tone = np.array((0.80, 0.725, 0.67)) * np.exp(traits.normal(-0.03, 0.07)) + traits.normal(0, 0.012, 3)
    light = np.ones((HEIGHT, WIDTH), dtype=np.float32)
    strength = random.uniform(0.5, 1.4)
    for size_mm, depth in ((1.6, 0.022), (0.5, 0.02), (0.16, 0.018), (0.06, 0.016), (0.03, 0.012)):
        grain = size_mm * view.scale
        if grain < WIDTH:
            light += noise(random, max(grain, _MIN_GRAIN)) * np.float32(depth * strength * random.uniform(0.5, 1.3))
    light += noise(random, 260) * np.float32(random.uniform(0.01, 0.05))
    light -= _furrows(random, view)
    scene: np.ndarray = light[None] * tone.astype(np.float32)[:, None, None]
    _color(scene, random, view)
    _spot_brown(scene, random, view)
    return scene


def _furrows(random: np.random.Generator, view: View) -> np.ndarray:
    """How much darker the furrows between the skin's small fields are; on many pictures hardly at all."""
    depth = max(0.0, float(random.normal(0.006, 0.012)))
    fields = cells(random, np.clip(random.uniform(0.25, 0.6) * view.scale, 12, 160), warp=0.2, shrink=4)
    return (1 - step(fields.edge, 0.0, 0.3)) * np.float32(depth)


def _color(scene: np.ndarray, random: np.random.Generator, view: View) -> None:
    """Clouds of blood and melanin under the surface, and a drift of the color over the picture."""
    fine = noise(random, max(0.18 * view.scale, 2 * _MIN_GRAIN)) + 0.7 * noise(
        random, max(0.07 * view.scale, _MIN_GRAIN)
    )
    absorb(scene, (fine * random.uniform(0.015, 0.07)).clip(-0.1, 0.25), MELANIN)
    clouds = noise(random, 130) + 0.6 * noise(random, 50)
    absorb(scene, (clouds * random.uniform(0.0, 0.03)).clip(-0.1, 0.2), BLOOD)
    drift = noise(random, 330) * np.float32(np.clip(np.exp(random.normal(-3.4, 0.5)), 0.008, 0.055))
    scene[0] *= 1 + drift
    scene[2] *= 1 - drift
    scene[1] *= 1 + noise(random, 300) * np.float32(random.uniform(0, 0.02))


def _spot_brown(scene: np.ndarray, random: np.random.Generator, view: View) -> None:
    """A mole or a few brown dots on one picture in eight."""
    if random.random() > 0.125:
        return
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for _ in range(random.integers(1, 5)):
        size = float(np.clip(random.uniform(0.03, 0.25) * view.scale, 2, 60))
        spot(mask, random.uniform((0, 0), SIZE), size, random.uniform(0.2, 0.7), stretch=random.uniform(1, 1.5))
    absorb(scene, mask, MELANIN)

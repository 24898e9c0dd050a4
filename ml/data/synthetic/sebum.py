"""Sebum: wet gloss, bright specular spots, and a yellowish sheen around follicles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.data.synthetic.hair import Follicle
from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, absorb, cover, noise, spot, step, stream


def yellow(skin: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int) -> None:
    """The yellowish sheen on the skin, around more follicles and wider with the grade."""
    if grade == 0:
        return
    random = stream(seed, "sebum")
    order = random.permutation(len(follicles))
    sizes = random.uniform(0.75, 1.3, len(follicles))
    sheen = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for number in order[: round(len(follicles) * (0.5, 0.8, 1.0)[grade - 1])]:
        follicle = follicles[number]
        radius = (19, 28, 40)[grade - 1] * sizes[number]
        spot(sheen, follicle.root, radius, (0.5, 0.7, 0.9)[grade - 1], stretch=1.3, angle=follicle.angle)
    sheen = np.clip(sheen * (1 + 0.3 * noise(random, 22)), 0, 1)
    absorb(skin, sheen, (-0.03, 0.02, 0.3))


def wet(scene: np.ndarray, shading: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int) -> None:
    """The gloss over the scene: a film that mirrors the lamps, broken by the relief of the skin.

    `shading` (height, width) is the light and shade on the skin; where it faces the lamps, spots flash.
    """
    if grade == 0:
        return
    random = stream(seed, "gloss")
    strength = random.uniform(0.85, 1.15)
    film = noise(random, 75) + 0.5 * noise(random, 26)
    places = random.uniform((0, 0), SIZE, (110, 2))
    near = random.random(110) < 0.55
    chosen, offsets = random.random(110), random.normal(0, 20, (110, 2))
    sizes, turns = np.exp(random.normal(0.55, 0.35, 110)), random.uniform(0, np.pi, 110)
    ripple = noise(random, 4.5)
    around = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for follicle in follicles:
        spot(around, follicle.root, (26, 34, 44)[grade - 1], 1.0)
    wetness = step(film + 1.5 * around, (1.3, 0.75, 0.1)[grade - 1], (3.0, 2.4, 1.7)[grade - 1])
    facing = shading / max(float(shading.std()), 1e-3) + 0.9 * ripple
    flash = step(facing, (2.2, 1.9, 1.6)[grade - 1], (3.6, 3.3, 3.0)[grade - 1]) * wetness
    drops = np.zeros_like(wetness)
    for number in range((18, 48, 105)[grade - 1]):
        place = places[number]
        if near[number] and follicles:
            place = follicles[int(chosen[number] * len(follicles))].root + offsets[number]
        spot(drops, place, sizes[number], 1.25, stretch=1.5, angle=turns[number])
    shine = 0.13 * wetness + 0.75 * flash * np.float32(strength) + np.clip(drops, 0, 1) * 0.85
    cover(scene, np.clip(shine, 0, 1), (1.0, 1.0, 0.97))

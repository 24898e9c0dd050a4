"""Sebum: waxy, half-transparent, yellowish clumps around follicles, and a gloss wider than the skin's own relief."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.data.synthetic.glints import glints
from ml.data.synthetic.hair import Follicle
from ml.data.synthetic.texture import HEIGHT, WIDTH, absorb, cover, noise, relief, spot, step, stream
from ml.data.synthetic.view import View


def wax(skin: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int, view: View) -> None:
    """Clumps and a yellow sheen on the skin, around more follicles and wider with the grade."""
    if grade == 0:
        return
    random = stream(seed, "sebum")
    inside = [follicle for follicle in follicles if follicle.inside]
    order = random.permutation(len(inside))
    sizes, angles = random.uniform(0.7, 1.4, len(inside)), random.uniform(0, np.pi, len(inside))
    sheen, clump = np.zeros((2, HEIGHT, WIDTH), dtype=np.float32)
    usual = float(np.clip(0.19 * view.scale, 4, 75))
    yellow = random.uniform(0.5, 1.0)
    for number in order[: max(1, round(len(inside) * (0.55, 0.8, 1.0)[grade - 1]))]:
        root, size = inside[number].root, sizes[number] * (0.9, 1.1, 1.4)[grade - 1]
        spot(sheen, root, usual * 1.5 * size, (0.7, 0.85, 1.0)[grade - 1], stretch=1.3, angle=angles[number])
        spot(clump, root, usual * 0.62 * size, 1.0, stretch=1.5, angle=angles[number])
    fine = float(np.clip(0.05 * view.scale, 3, 14))
    sheen = np.clip(sheen * (1 + 0.3 * noise(random, 30)), 0, 1)
    absorb(skin, sheen * np.float32(yellow), (-0.03, 0.04, 0.36))
    lumpy = noise(random, fine) + 0.7 * noise(random, fine * 2.5)
    mass = step(clump * (1 + 0.35 * lumpy), 0.45, 0.75)
    body = 0.82 + 0.45 * relief(mass * (1 + 0.2 * lumpy), 2)
    cover(
        skin, mass * np.float32((0.28, 0.4, 0.52)[grade - 1]), [body, body * np.float32(0.96), body * np.float32(0.78)]
    )


def gloss(scene: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int, view: View) -> None:
    """The gloss of an oily film over the scene: broad sheets of light, and in them glints that run together."""
    if grade == 0:
        return
    random = stream(seed, "gloss")
    strength = np.float32(random.uniform(0.85, 1.15))
    around = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for follicle in follicles:
        if follicle.inside:
            spot(around, follicle.root, float(np.clip(0.3 * view.scale, 8, 110)), 1.0)
    film = noise(random, 110) + 0.6 * noise(random, 40) + 1.1 * around
    wet = step(film, (1.5, 0.8, 0.1)[grade - 1], (2.9, 2.3, 1.7)[grade - 1])
    slope = noise(random, 46) + 0.5 * noise(random, 20)
    sheet = step(slope, (1.1, 0.85, 0.6)[grade - 1], 2.6) * wet
    grain = float(np.clip(0.05 * view.scale, 3.2, 9))
    merged = step(glints(random, grain, 0.55, 3), 0.35, 0.9) * step(
        film + 0.4 * slope, 1.7 - 0.5 * grade, 3.4 - 0.6 * grade
    )
    shine = 0.07 * wet + (0.34, 0.42, 0.5)[grade - 1] * sheet + (0.5, 0.62, 0.75)[grade - 1] * merged
    cover(scene, (shine * strength).clip(0, 0.95), (1.0, 1.0, 0.98))

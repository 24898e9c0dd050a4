"""Redness: diffuse between the follicles with branching vessels, or in halos around them with pustules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ml.data.synthetic.hair import Follicle
from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, absorb, cover, noise, spot, step, stream

#: How much of red, green and blue blood takes from the light on skin.
_BLUSH = (0.02, 0.4, 0.33)
_VESSEL = (0.16, 0.68, 0.55)


#: Branches of a vessel at most, the first one included.
_BRANCHES = 7


def redden(skin: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int) -> None:
    """Redness between follicles on the skin; it is palest around the follicles."""
    if grade == 0:
        return
    random = stream(seed, "redness")
    area, strength = random.uniform(-0.35, 0.35), random.uniform(0.8, 1.15)
    cloud = noise(random, random.uniform(110, 190)) + 0.5 * noise(random, 45) + 0.25 * noise(random, 14)
    level = (0.8, 0.0, -1.0)[grade - 1] + area
    blush = step(cloud, level - 1.5, level + 1.9)
    spared = np.zeros_like(blush)
    for follicle in follicles:
        spot(spared, follicle.root, follicle.radius * 1.9, 0.55)
    blush = blush * (1 - spared) * np.float32(strength * (0.5, 0.72, 0.95)[grade - 1])
    absorb(skin, blush, _BLUSH)
    vessels = _vessels(random, (16, 34, 56)[grade - 1]) * (0.35 + 0.65 * step(cloud, level - 1.5, level + 0.5))
    absorb(skin, vessels * np.float32((0.6, 0.75, 0.9)[grade - 1]), _VESSEL)


def _vessels(random: np.random.Generator, count: int) -> np.ndarray:
    """Fine vessels as a mask (height, width): winding, forking, thinner with each fork."""
    image = Image.new("L", SIZE)
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        place, angle = random.uniform((0, 0), SIZE), random.uniform(0, 2 * np.pi)
        length, width = int(random.uniform(6, 20)), int(random.choice((2, 2, 3)))
        turns, forks = random.normal(0, 0.28, (_BRANCHES, 20)), random.random((_BRANCHES, 20))
        branches = [(place, angle, 0, length)]
        for branch, (start, first, depth, steps) in enumerate(branches):
            way = first + turns[branch, :steps].cumsum()
            line = np.concatenate(
                (start[None], start + 7 * np.stack((np.cos(way), np.sin(way)), axis=1).cumsum(axis=0))
            )
            shade = (255, 190, 130, 110)[min(depth, 3)]
            draw.line(line.ravel().tolist(), fill=shade, width=max(1, width - depth), joint="curve")
            for fork in np.flatnonzero(forks[branch, :steps] < 0.16)[: _BRANCHES - len(branches)]:
                side = 0.7 if forks[branch, fork] < 0.08 else -0.7
                branches.append((line[fork + 1], way[fork] + side, depth + 1, steps - int(fork)))
    image = image.filter(ImageFilter.GaussianBlur(0.9))
    return np.asarray(image, dtype=np.float32) / 255


def inflame(skin: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int) -> None:
    """Red halos around follicles of the skin; with the grade more, larger ones, and more with a pustule inside."""
    if grade == 0:
        return
    random = stream(seed, "follicular redness")
    inside = [f for f in follicles if 10 < f.root[0] < WIDTH - 10 and 10 < f.root[1] < HEIGHT - 10]
    order = random.permutation(len(inside))
    sizes, angles = random.uniform(0.8, 1.25, len(inside)), random.uniform(0, np.pi, len(inside))
    which, uneven = random.random(len(inside)), noise(random, 22)
    count = max(grade, round(len(inside) * (0.22, 0.5, 0.85)[grade - 1]))
    halo, core, pus, glint = np.zeros((4, HEIGHT, WIDTH), dtype=np.float32)
    for number in order[:count]:
        root, size, angle = inside[number].root, sizes[number], angles[number]
        radius = (21, 26, 32)[grade - 1] * size
        spot(halo, root, radius, (0.75, 0.9, 1.0)[grade - 1], stretch=1.25, angle=angle)
        spot(core, root, radius * 0.5, 0.8, stretch=1.2, angle=angle)
        if which[number] < (0.12, 0.4, 0.75)[grade - 1]:
            middle = root + size * 3 * np.array((np.cos(angle * 2), np.sin(angle * 2)))
            spot(pus, middle, radius * 0.42, 1.35, stretch=1.15, angle=angle)
            spot(glint, middle - radius * 0.16, radius * 0.07, 0.8)
    halo = np.clip(halo * (1 + 0.22 * uneven), 0, 1)
    absorb(skin, halo, (0.03, 0.45, 0.4))
    absorb(skin, core, (0.1, 0.26, 0.2))
    bulge = 0.78 + 0.22 * np.clip(pus, 0, 1)
    cover(skin, 0.88 * step(pus * (1 + 0.12 * uneven), 0.35, 1.0), (0.94 * bulge, 0.88 * bulge, 0.64 * bulge))
    cover(skin, glint, (1.0, 1.0, 1.0))

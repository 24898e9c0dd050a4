"""Redness: soft clouds between the follicles, or dark-red glossy bumps around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ml.data.synthetic.hair import Follicle
from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, absorb, cover, noise, spot, step, stream
from ml.data.synthetic.view import View

#: What blood takes from red, green and blue where redness is pink, and where it is orange.
_PINK, _ORANGE = np.array((0.01, 0.36, 0.25)), np.array((0.03, 0.30, 0.37))
_VESSEL = (0.14, 0.6, 0.5)


def redden(skin: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int, view: View) -> None:
    """Redness between follicles: clouds without an edge, wider and deeper with the grade, paler at the follicles."""
    if grade == 0:
        return
    random = stream(seed, "redness")
    area, strength = random.uniform(-0.2, 0.2), random.uniform(0.88, 1.12)
    tint, few_vessels = random.random(), random.random()
    cloud = noise(random, random.uniform(120, 240)) + 0.45 * noise(random, 60) + 0.2 * noise(random, 22)
    level = (0.7, -0.1, -1.1)[grade - 1] + area
    blush = step(cloud, level - 1.6, level + 1.9)
    spared = np.zeros_like(blush)
    for follicle in follicles:
        spot(spared, follicle.root, follicle.radius * 1.9, 0.4)
    blush = blush * (1 - spared) * np.float32(strength * (0.32, 0.56, 0.85)[grade - 1])
    absorb(skin, blush, (tint * _PINK + (1 - tint) * _ORANGE).tolist())
    if few_vessels < 0.3:
        vessels = _vessels(random, (6, 14, 26)[grade - 1], view) * step(cloud, level - 1.2, level + 0.6)
        absorb(skin, vessels * np.float32(0.5 * strength), _VESSEL)


def _vessels(random: np.random.Generator, count: int, view: View) -> np.ndarray:
    """Fine vessels under the surface as a soft mask (height, width): winding lines, out of focus."""
    image = Image.new("L", SIZE)
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        place, angle = random.uniform((0, 0), SIZE), random.uniform(0, 2 * np.pi)
        way = angle + random.normal(0, 0.25, 20).cumsum()
        steps = np.stack((np.cos(way), np.sin(way)), axis=1)[: int(random.integers(5, 20))]
        line = place + np.cumsum(steps, axis=0) * max(3.0, 0.05 * view.scale)
        draw.line(line.ravel().tolist(), fill=220, width=max(1, round(0.018 * view.scale)), joint="curve")
    image = image.filter(ImageFilter.GaussianBlur(max(1.0, 0.012 * view.scale)))
    return np.asarray(image, dtype=np.float32) / 255


def inflame(skin: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int, view: View) -> None:
    """Inflamed follicles: dark-red glossy bumps in a halo, many with a brown crust, few with a yellow-white center."""
    if grade == 0:
        return
    random = stream(seed, "follicular redness")
    inside = [f for f in follicles if 10 < f.root[0] < WIDTH - 10 and 10 < f.root[1] < HEIGHT - 10]
    order = random.permutation(len(inside))
    sizes, angles = random.uniform(0.75, 1.3, len(inside)), random.uniform(0, np.pi, len(inside))
    which, uneven, rough = random.random(len(inside)), noise(random, 22), noise(random, 5)
    share = (0.25, 0.5, 0.85)[grade - 1] * random.uniform(0.85, 1.15)
    count = max(grade, round(min(len(inside), 60) * share))
    halo, bump, crust, pus, glint = np.zeros((5, HEIGHT, WIDTH), dtype=np.float32)
    usual = float(np.clip(0.2 * view.scale, 5, 70))
    for number in order[:count]:
        root, size, angle = inside[number].root, sizes[number], angles[number]
        radius = usual * size * (0.85, 1.0, 1.2)[grade - 1]
        spot(halo, root, radius * 1.25, (0.6, 0.75, 0.9)[grade - 1], stretch=1.25, angle=angle)
        spot(bump, root, radius * 0.55, 1.0, stretch=1.2, angle=angle)
        off = radius * 0.25 * np.array((np.cos(angle * 2), np.sin(angle * 2)))
        if which[number] < 0.45:
            spot(crust, root + off, radius * 0.3, 1.1, stretch=1.4, angle=angle)
        elif which[number] < 0.65:
            spot(pus, root + off, radius * 0.3, 1.2, stretch=1.15, angle=angle)
        spot(glint, root - radius * 0.2, max(1.0, radius * 0.09), 0.7, stretch=1.6, angle=angle)
    absorb(skin, np.clip(halo * (1 + 0.3 * uneven), 0, 1), (0.02, 0.38, 0.32))
    absorb(skin, np.clip(bump * (1 + 0.15 * rough), 0, 1), (0.2, 0.45, 0.38))
    cover(skin, 0.75 * step(crust * (1 + 0.35 * rough), 0.45, 1.0), (0.5, 0.33, 0.16))
    cover(skin, 0.7 * step(pus * (1 + 0.15 * uneven), 0.35, 1.0), (0.88, 0.82, 0.6))
    cover(skin, glint, (1.0, 1.0, 1.0))

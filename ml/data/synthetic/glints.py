"""Glints: lamps mirrored by the fine relief of the skin, on healthy skin as on any other."""

from __future__ import annotations

import numpy as np

from ml.data.synthetic.texture import HEIGHT, WIDTH, cover, noise, step, stream
from ml.data.synthetic.view import View


def glints(random: np.random.Generator, grain: float, sharpness: float, lamps: int) -> np.ndarray:
    """Where a rough surface, bumps `grain` pixels wide, mirrors the lamps: 0 to 1 (height, width).

    A lamp shows where the slope of the surface is the one that mirrors it, which makes dots, arcs and small rings
    (Cook and Torrance, ACM TOG 1(1), 1982). `sharpness` is how narrow that range of slopes is.
    """
    surface = noise(random, grain) + 0.6 * noise(random, grain * 0.6)
    down, right = np.gradient(surface * np.float32(grain))
    bright = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    turn = random.uniform(0, 2 * np.pi)
    for lamp in range(lamps):
        way = turn + lamp * 2 * np.pi / lamps
        steep = random.uniform(2.3, 3.0)
        off = (down - steep * np.sin(way)) ** 2 + (right - steep * np.cos(way)) ** 2
        np.maximum(bright, np.exp(-off * np.float32(sharpness)), out=bright)
    return bright


def strew_glints(scene: np.ndarray, seed: int, view: View) -> None:
    """Glints over the whole field, from hardly any to thousands, whatever the grades are."""
    random = stream(seed, "glints")
    wet = float(np.clip(random.normal(0.56, 0.33), 0, 1.15))
    grain = float(np.clip(0.045 * view.scale * np.exp(random.normal(0, 0.25)), 3.2, 10))
    marks = glints(random, grain, random.uniform(1.0, 2.2), int(random.integers(1, 4)))
    where = 0.75 * noise(random, 120) + 0.55 * noise(random, 36)
    mask = step(marks, 0.75 - 0.5 * wet, 1.02 - 0.38 * wet) * step(where, 0.5 - 1.9 * wet, 1.4 - 1.5 * wet)
    cover(scene, mask * np.float32(random.uniform(0.35, 0.95)), (1.02, 1.03, 1.05))
    if random.random() < 0.2:
        _scratch(scene, random)


def _scratch(scene: np.ndarray, random: np.random.Generator) -> None:
    """Fine straight bright lines, as a wet field has now and then."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    for _ in range(random.integers(1, 5)):
        angle, place = random.uniform(0, np.pi), random.uniform((0, 0), (WIDTH, HEIGHT))
        across = (x - place[0]) * np.float32(-np.sin(angle)) + (y - place[1]) * np.float32(np.cos(angle))
        along = (x - place[0]) * np.float32(np.cos(angle)) + (y - place[1]) * np.float32(np.sin(angle))
        line = np.exp(-((across / 1.1) ** 2) - (along / np.float32(random.uniform(12, 60))) ** 2)
        cover(scene, line * np.float32(random.uniform(0.2, 0.6)), (1.0, 1.0, 1.0))

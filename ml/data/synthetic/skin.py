"""Skin: its tone, patches, furrows and grain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ml.data.synthetic.texture import absorb, cells, noise, relief, step, stream


@dataclass(frozen=True, slots=True)
class Skin:
    """The scene of bare skin (3, height, width), and the light and shade on its relief (height, width)."""

    scene: np.ndarray
    shading: np.ndarray


def lay_skin(seed: int, person: int) -> Skin:
    """Bare skin of a person: tone, cloudy patches, a net of furrows, pores and fine grain."""
    traits, random = stream(person, "skin of a person"), stream(seed, "skin")
    tone = np.array((0.78, 0.715, 0.69)) + traits.normal(0, 0.025) + traits.normal(0, 0.012, 3)
    patches = noise(random, 150) * random.uniform(0.01, 0.035) + noise(random, 55) * random.uniform(0.005, 0.022)
    blush = noise(random, 110) * random.uniform(0.005, 0.022)
    plates = cells(random, random.uniform(15, 30), warp=0.16, shrink=4)
    fine = noise(random, 3.2)
    medium = noise(random, random.uniform(7, 12))
    furrow = 1 - step(plates.edge, 0.0, random.uniform(0.16, 0.34))
    height = random.uniform(0.4, 1.1) * (1 - furrow) + 0.35 * medium + 0.16 * fine
    shading = relief(height, 2)
    depth = random.uniform(0.015, 0.06)
    light = 1 + patches - depth * furrow + random.uniform(0.02, 0.055) * shading
    light += (plates.value - 0.5) * random.uniform(0.0, 0.035) + fine * random.uniform(0.006, 0.02)
    scene = light.astype(np.float32)[None] * tone.astype(np.float32)[:, None, None]
    absorb(scene, blush.astype(np.float32), (-0.4, 0.9, 0.8))
    return Skin(scene, shading)

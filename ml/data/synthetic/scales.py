"""Scales: the thin films and specks of fine scaling, and the plates of dandruff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ml.data.synthetic.hair import Follicle, way_mask
from ml.data.synthetic.texture import (
    HEIGHT,
    SIZE,
    WIDTH,
    Cells,
    absorb,
    cells,
    cover,
    noise,
    relief,
    shifted,
    spot,
    step,
    stream,
)

_WHITE = (0.95, 0.93, 0.88)
_MOST_SPECKS = 420


def lay_films(skin: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int) -> None:
    """Fine scaling on the skin: thin, ragged, whitish films around collars and beside shafts.

    `follicles` are those of the full head of hair, so that scales stay where they are whatever hair loss takes.
    """
    if grade == 0:
        return
    random = stream(seed, "films")
    strength = random.uniform(0.85, 1.15)
    ragged = noise(random, 4.5) * 0.55 + noise(random, 11) * 0.6 + noise(random, 34) * 0.6
    near = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for follicle in follicles:
        spot(near, follicle.root, follicle.radius * 1.5, 1.0, stretch=1.5, angle=follicle.angle)
    near = np.maximum(near, 0.7 * way_mask(follicles, 2.4, 7)) + np.float32((0.0, 0.1, 0.26)[grade - 1])
    film = step(ragged + 2.4 * near, (2.15, 1.8, 1.35)[grade - 1], (3.4, 3.0, 2.5)[grade - 1])
    film = film * np.float32(strength * (0.56, 0.66, 0.74)[grade - 1]) * (0.75 + 0.25 * np.tanh(noise(random, 3)))
    edge = relief(film) * np.float32(0.3)
    cover(skin, film.clip(0, 0.9), [edge + of_white for of_white in _WHITE])


def strew_specks(scene: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int) -> None:
    """Fine scaling over skin and hairs: irregular whitish specks, most of them on and beside the shafts."""
    if grade == 0:
        return
    random = stream(seed, "specks")
    specks = _specks(random, follicles, int((60, 160, 340)[grade - 1] * random.uniform(0.85, 1.15)))
    edge = relief(specks) * np.float32(0.3)
    cover(scene, specks, [edge + of_white for of_white in _WHITE])


def _specks(random: np.random.Generator, follicles: Sequence[Follicle], count: int) -> np.ndarray:
    """Irregular specks as a mask (height, width), most of them along shafts; the first `count` of a fixed sequence."""
    lines = [hair.points(8) for follicle in follicles for hair in follicle.hairs]
    beside = np.concatenate(lines or [np.zeros((0, 2))])
    beside = beside[((beside > 0) & (beside < SIZE)).all(axis=1)]
    anywhere = random.uniform((0, 0), SIZE, (_MOST_SPECKS, 2))
    chosen = random.random(_MOST_SPECKS)
    if len(beside):
        shafts = beside[random.integers(len(beside), size=_MOST_SPECKS)] + random.normal(0, 7, (_MOST_SPECKS, 2))
        anywhere = np.where((chosen < 0.7)[:, None], shafts, anywhere)
    radius = np.exp(random.normal(0.75, 0.5, _MOST_SPECKS))
    bright = random.integers(90, 235, _MOST_SPECKS)
    corners = random.uniform(0.45, 1.25, (_MOST_SPECKS, 7)) * radius[:, None]
    turn = random.uniform(0, 2 * np.pi, (_MOST_SPECKS, 1)) + np.arange(7) * (2 * np.pi / 7)
    squeeze = random.uniform(0.5, 1.0, (_MOST_SPECKS, 1))
    x = (anywhere[:, :1] + corners * np.cos(turn)) * 2
    y = (anywhere[:, 1:] + corners * np.sin(turn) * squeeze) * 2
    image = Image.new("L", (WIDTH * 2, HEIGHT * 2))
    draw = ImageDraw.Draw(image)
    for outline, shade in zip(np.stack((x, y), axis=2)[:count], bright[:count], strict=True):
        draw.polygon([tuple(corner) for corner in outline.tolist()], fill=int(shade))
    image = image.reduce(2).filter(ImageFilter.GaussianBlur(0.5))
    return np.asarray(image, dtype=np.float32) / 255


@dataclass(frozen=True, slots=True)
class Dandruff:
    """The large, opaque, cracked white plates and clumps of a picture, as fields that both of its layers share."""

    grade: int
    seed: int
    flakes: Cells
    ragged: np.ndarray
    rough: np.ndarray

    @classmethod
    def form(cls, grade: int, seed: int) -> Dandruff | None:
        """The dandruff of a grade, None for grade 0."""
        if grade == 0:
            return None
        random = stream(seed, "flakes")
        return cls(grade, seed, cells(random, random.uniform(15, 26), warp=0.2), noise(random, 7), noise(random, 3))

    def lay(self, scene: np.ndarray, *, above: bool) -> None:
        """Put plates over the skin or, `above`, clumps over the hairs."""
        random, grade = stream(self.seed, "clumps" if above else "plates"), self.grade
        count = ((1, 2, 4) if above else (4, 8, 15))[grade - 1]
        places, sizes = random.uniform((20, 20), (WIDTH - 20, HEIGHT - 20), (15, 2)), random.uniform(0.75, 1.3, 15)
        angles, stretches = random.uniform(0, np.pi, 15), random.uniform(1.0, 2.2, 15)
        radius = ((11, 14, 18) if above else (17, 23, 31))[grade - 1]
        blobs = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
        for place, size, angle, stretch in zip(places[:count], sizes, angles, stretches, strict=False):
            spot(blobs, place, radius * size, 1.0, stretch=stretch, angle=angle)
        value = self.flakes.value
        fill = step(blobs * (1 + 0.14 * self.ragged + 1.1 * (value - 0.5)), 0.4, 0.5)
        crack = 1 - step(self.flakes.edge + 0.05 * self.ragged, 0.03, 0.14)
        mask = np.clip(fill * (0.72 + 0.28 * value) * (1 - 0.6 * crack) * 1.12, 0, 0.97)
        absorb(scene, shifted(fill, 4, 4) * (1 - fill), (0.3, 0.34, 0.34))
        body = 0.9 + 0.09 * value + 0.035 * self.rough + 0.18 * relief(fill, 2) - 0.2 * crack * fill
        cover(scene, mask, [body * np.float32(of_white) for of_white in _WHITE])

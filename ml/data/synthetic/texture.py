"""Textures: scalar fields over a picture, from which everything is mixed.

A field is a float32 array (height, width); a scene is one of red, green and blue, (3, height, width), 0 to 1 in
white light. Scenes are changed in place.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

#: Width and height of a scalp-scope picture in pixels.
SIZE = (640, 480)
WIDTH, HEIGHT = SIZE


def stream(seed: int, name: str) -> np.random.Generator:
    """Random numbers of one named part of a picture.

    Each part draws from a stream of its own, so that a change in one, such as another grade of a symptom,
    leaves the numbers of all others as they were.
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, zlib.crc32(name.encode())))))


def enlarged(coarse: np.ndarray) -> np.ndarray:
    """A coarse field, brought to the size of the picture bicubically."""
    image = Image.fromarray(np.ascontiguousarray(coarse, dtype=np.float32))
    return np.asarray(image.resize(SIZE, Image.Resampling.BICUBIC))


def noise(random: np.random.Generator, grain: float) -> np.ndarray:
    """Smooth noise of mean 0 and about unit standard deviation, whose features are `grain` pixels wide.

    Value noise: independent values on a grid, interpolated bicubically, which takes a quarter of their spread.
    """
    columns, rows = int(WIDTH / grain) + 2, int(HEIGHT / grain) + 2
    return enlarged(random.standard_normal((rows, columns), dtype=np.float32) * np.float32(1.33))


def streaks(random: np.random.Generator, grain: float, angle: float, stretch: float = 5.0) -> np.ndarray:
    """As `noise`, but with features `stretch` times longer along `angle` than they are wide, which is `grain`."""
    size = int(np.hypot(WIDTH, HEIGHT) / grain) + 4
    coarse = random.standard_normal((size, int(size / stretch) + 4), dtype=np.float32) * np.float32(1.33)
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    # From a pixel of the picture to one of the coarse field: turned about the middle, then shrunk.
    x, y = cos / (grain * stretch), sin / (grain * stretch)
    down, right = -sin / grain, cos / grain
    matrix = (
        x, y, coarse.shape[1] / 2 - x * WIDTH / 2 - y * HEIGHT / 2,
        down, right, coarse.shape[0] / 2 - down * WIDTH / 2 - right * HEIGHT / 2,
    )  # fmt: skip
    turned = Image.fromarray(coarse).transform(SIZE, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    return np.asarray(turned)


def step(field: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, smooth between (the cubic smoothstep of shading languages)."""
    unit = np.clip((field - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    smooth: np.ndarray = unit * unit * (3 - 2 * unit)
    return smooth


def absorb(scene: np.ndarray, mask: np.ndarray, shares: Sequence[float]) -> None:
    """Take `shares` of red, green and blue from the light where `mask` is 1, as blood or a shadow does."""
    for channel, share in zip(scene, shares, strict=True):
        channel *= 1 - mask * np.float32(share)


def cover(scene: np.ndarray, mask: np.ndarray, color: Sequence[float | np.ndarray]) -> None:
    """Put paint of a color, or of a field a channel, over the scene, opaque where `mask` is 1."""
    for channel, paint in zip(scene, color, strict=True):
        channel += mask * (paint - channel)


def relief(height: np.ndarray, depth: int = 1) -> np.ndarray:
    """Light and shade on a surface of this height, lit from the upper left: its slope over `depth` pixels."""
    slope = np.zeros_like(height)
    slope[depth:, depth:] = height[depth:, depth:] - height[:-depth, :-depth]
    return slope


def shifted(field: np.ndarray, right: int, down: int) -> np.ndarray:
    """The field moved by whole pixels; 0 comes in from the border."""
    moved = np.zeros_like(field)
    height, width = field.shape
    moved[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)] = field[
        max(0, -down) : height + min(0, -down), max(0, -right) : width + min(0, -right)
    ]
    return moved


def spot(
    field: np.ndarray,
    center: np.ndarray,
    radius: float,
    strength: float,
    *,
    ring: float = 0.0,
    stretch: float = 1.0,
    angle: float = 0.0,
) -> None:
    """Raise `field`, in place, to a soft spot around `center` (x, y) where it is lower.

    A bell of standard deviation `radius`, `stretch` times longer along `angle`; with `ring` its top lies that
    many radii away from the center.
    """
    reach = radius * stretch * (3 + ring)
    left, right = max(0, int(center[0] - reach)), min(WIDTH, int(center[0] + reach) + 1)
    top, bottom = max(0, int(center[1] - reach)), min(HEIGHT, int(center[1] + reach) + 1)
    if left >= right or top >= bottom:
        return
    x = np.arange(left, right, dtype=np.float32)[None, :] - np.float32(center[0])
    y = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(center[1])
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    distance = np.hypot((x * cos + y * sin) / np.float32(radius * stretch), (y * cos - x * sin) / np.float32(radius))
    bell = np.float32(strength) * np.exp(-0.5 * (distance - np.float32(ring)) ** 2)
    window = field[top:bottom, left:right]
    np.maximum(window, bell, out=window)


@dataclass(frozen=True, slots=True)
class Cells:
    """A field divided into cells, as skin is by its furrows and a plate of scale by its cracks.

    `edge` is the distance to the nearest border in cells, 0 on it; `value` one number of 0 to 1 for each cell.
    """

    edge: np.ndarray
    value: np.ndarray


def cells(random: np.random.Generator, size: float, *, warp: float = 0.25, shrink: int = 2) -> Cells:
    """Cells about `size` pixels wide: Worley noise over one random point a grid square (SIGGRAPH 1996).

    `warp` bends the borders, in cells. Worked out at 1/`shrink` of the size, since cells are coarse.
    """
    width, height = WIDTH // shrink, HEIGHT // shrink
    columns, rows = int(WIDTH / size) + 5, int(HEIGHT / size) + 5
    points = random.random((rows, columns, 2), dtype=np.float32)
    values = random.random((rows, columns), dtype=np.float32)
    bend = [
        np.asarray(
            Image.fromarray(
                random.standard_normal((int(HEIGHT / size * 2) + 2, int(WIDTH / size * 2) + 2), dtype=np.float32)
            ).resize((width, height), Image.Resampling.BICUBIC)
        )
        for _ in range(2)
    ]
    scale = np.float32(shrink / size)
    x = np.arange(width, dtype=np.float32)[None, :] * scale + 2 + np.float32(warp) * bend[0]
    y = np.arange(height, dtype=np.float32)[:, None] * scale + 2 + np.float32(warp) * bend[1]
    column, row = np.clip(x.astype(np.int32), 1, columns - 2), np.clip(y.astype(np.int32), 1, rows - 2)
    nearest = np.full((height, width), np.inf, dtype=np.float32)
    second = nearest.copy()
    owner = np.zeros((height, width), dtype=np.int32)
    flat_x = (points[..., 0] + np.arange(columns, dtype=np.float32)[None, :]).ravel()
    flat_y = (points[..., 1] + np.arange(rows, dtype=np.float32)[:, None]).ravel()
    square = row * columns + column
    for below in (-1, 0, 1):
        for beside in (-1, 0, 1):
            index = square + (below * columns + beside)
            distance = (flat_x[index] - x) ** 2 + (flat_y[index] - y) ** 2
            second = np.minimum(second, np.maximum(nearest, distance))
            owner = np.where(distance < nearest, index, owner)
            nearest = np.minimum(nearest, distance)
    edge = enlarged(np.sqrt(second) - np.sqrt(nearest))
    of_cell = np.repeat(np.repeat(values.ravel()[owner], shrink, axis=0), shrink, axis=1)
    return Cells(np.maximum(edge, 0), of_cell)

"""Quality of a photo, measured without a network: exposure and sharpness, independent of resolution.

Everything is measured on a grid whose long side has 320 cells. It is plain arithmetic, which a browser can repeat:

1. Luma of each pixel, `(299 R + 587 G + 114 B) / 1000` rounded, 0 to 255.
2. Cell (r, c) of the grid is the mean luma of the pixels in rows `r h // H` to `(r + 1) h // H`, in columns likewise,
   the last ones excluded but at least one; h is the photo's height and H the grid's, `max(16, round(320 h / long))`.
3. Brightness is the mean of the cells over 255, contrast their standard deviation over 255; `dark` and `bright` are
   the shares of cells below 10 and above 245.
4. The means of 2 × 2, 4 × 4, 8 × 8 and 16 × 16 cells, from the upper left corner, without the remainder. `fine` is
   the standard deviation of the 2 × 2 means about the 4 × 4 mean that contains them, `coarse` that of the 8 × 8 means
   about the 16 × 16 mean. Sharpness is `(fine + 1/2) / (coarse + 1/2)`.

That is the detail in two octaves of the Haar wavelet, two octaves apart. Natural pictures have about the same amount in
both (Field, J. Opt. Soc. Am. A 4(12), 1987), so little in the finer one means that the lens has removed it. A Laplacian
would measure the finest detail, which is full of noise of the sensor and of JPEG; the 2 × 2 means of 2 pixels of a
640-pixel photo have almost none of it. The half level makes a uniform frame sharp, since nothing in it can be blurred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

Rejection = Literal["too_dark", "too_bright", "too_blurred"]

GRID_LONG_SIDE = 320

_DARK_LEVEL, _BRIGHT_LEVEL = 10, 245
_HALF_LEVEL = 0.5


@dataclass(frozen=True, slots=True)
class Quality:
    """The measurements: all between 0 and 1 except `sharpness`, which is about 1 for a photo in focus."""

    brightness: float
    dark: float
    bright: float
    contrast: float
    sharpness: float

    @property
    def rejection(self) -> Rejection | None:
        """Why this photo is unusable, or None.

        The limits rarely reject. They are based on 300 synthetic scalps of an earlier generator, 640 × 480 pixels:
        brightness .41 to .82, sharpness .56 to 1.84. Blurred by a Gaussian of 5 pixels sharpness was .38 to .49, of 8
        pixels, as wide as a hair, .34 to .41. With a gamma of 2.2 the lowest brightness was .17; in a scope's round
        black mask `dark` was .41. None of 164 real close-ups ("scalp-data", CC BY 4.0) is rejected, brightness .41 to
        .58, sharpness .44 to 1.33; nor any of 83 photographs of heads, .21 to .71 and .41 to .81.
        """
        if self.brightness < 0.08 or self.dark > 0.9:
            return "too_dark"
        if self.brightness > 0.92 or self.bright > 0.6:
            return "too_bright"
        return "too_blurred" if self.sharpness < 0.38 else None


def measure(photo: Image.Image, size: tuple[int, int] | None = None) -> Quality:
    """Measure an RGB photo of at least one pixel.

    `size` is its full width and height if it was decoded at a reduced size: the cells are those of the full photo, in
    which each pixel stands for several.
    """
    cells = _grid(np.asarray(photo.convert("L")), size or photo.size)
    fine, coarse = _detail(cells, 2), _detail(cells, 8)
    return Quality(
        brightness=float(cells.mean()) / 255,
        dark=float((cells < _DARK_LEVEL).mean()),
        bright=float((cells > _BRIGHT_LEVEL).mean()),
        contrast=float(cells.std()) / 255,
        sharpness=(fine + _HALF_LEVEL) / (coarse + _HALF_LEVEL),
    )


def _grid(luma: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Mean luma of each cell of a photo of this width and height."""
    width, height = size
    each = round(max(size) / max(luma.shape))
    rows, columns = (max(16, round(GRID_LONG_SIDE * side / max(height, width))) for side in (height, width))
    top, left = np.arange(rows) * height // rows, np.arange(columns) * width // columns
    down, across = _lengths(top, height), _lengths(left, width)
    sums = _sums(np.ascontiguousarray(_sums(luma, top, down, each).T), left, across, each).T
    grid: np.ndarray = sums / np.outer(down, across)
    return grid


def _lengths(starts: np.ndarray, end: int) -> np.ndarray:
    return np.maximum(np.diff(starts, append=end), 1)


def _sums(rows: np.ndarray, starts: np.ndarray, lengths: np.ndarray, each: int) -> np.ndarray:
    """The sum of `lengths` rows from each start, where each given row stands for `each` rows.

    Whole rows at a time, because `reduceat` is slow on short runs.
    """
    sums: np.ndarray = rows[starts // each].astype(np.uint32)
    for offset in range(1, int(lengths.max())):
        longer = np.flatnonzero(lengths > offset)
        sums[longer] += rows[(starts[longer] + offset) // each]
    return sums


def _means(cells: np.ndarray, side: int) -> np.ndarray:
    rows, columns = cells.shape[0] // side, cells.shape[1] // side
    blocks = cells[: rows * side, : columns * side].reshape(rows, side, columns, side)
    means: np.ndarray = blocks.mean(axis=(1, 3))
    return means


def _detail(cells: np.ndarray, side: int) -> float:
    """Standard deviation, in levels of luma, of the means of `side`² cells about those of twice the side."""
    wide = _means(cells, 2 * side)
    around = wide.repeat(2, axis=0).repeat(2, axis=1)
    rows, columns = around.shape
    return float(np.sqrt(np.mean((_means(cells, side)[:rows, :columns] - around) ** 2)))

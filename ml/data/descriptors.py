"""Descriptors: a dozen numbers per picture that describe a scalp photograph, without a network.

All pictures are first resized to 640×480 pixels, the size of AI Hub's photographs, so that sizes in pixels can be
compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

SIZE = (640, 480)

#: How much darker than its surroundings a hair is, of the range 0 to 1.
_HAIR_CONTRAST = 0.18
#: The margin around hair in pixels, so that the soft edge of a shaft does not count as skin.
_HAIR_MARGIN = 3
#: How much brighter than the pixels around it a glint is, and its smallest number of pixels.
_GLINT_CONTRAST = 0.06
_MIN_GLINT_PIXELS = 3
#: Standard deviation in pixels of the blur that separates fine structure, and of the one that leaves only color drift.
_FINE, _DRIFT = 3.0, 25.0
#: The lowest value of all channels that counts as white.
_WHITE = 0.82


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The appearance of one picture.

    `red`, `green`, `blue` (means) and `contrast` (standard deviation of gray) are of the range 0 to 1. `hue_drift` is
    the standard deviation over the skin of red minus blue, blurred by 25 pixels. `hair_share` is the share of the
    picture that is darker than the local skin by .18. `sharpness` is the variance of the Laplacian of gray and `grain`
    the standard deviation of fine structure on skin without glints, both times 1,000. A glint is a spot of skin
    brighter than its surroundings by .06: `glint_share` is their share of the skin, `glints_per_megapixel` counts those
    of three pixels or more per million pixels of skin, and `glint_size` is the square root of their median area in
    pixels. `white_share` is the share of the skin on which no channel is below .82.
    """

    red: float
    green: float
    blue: float
    contrast: float
    hue_drift: float
    hair_share: float
    sharpness: float
    grain: float
    glint_share: float
    glints_per_megapixel: float
    glint_size: float
    white_share: float

    @classmethod
    def of(cls, picture: Image.Image) -> Self:
        """Measure one picture of any size and mode."""
        small = picture.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
        rgb = np.asarray(small, dtype=np.float32) / 255
        gray = rgb.mean(axis=2)
        skin = ~_widen(gray < _local_skin(gray) - _HAIR_CONTRAST, _HAIR_MARGIN)
        fine = gray - _blur(gray, _FINE)
        glints = skin & (fine > _GLINT_CONTRAST)
        sizes = spot_sizes(glints)
        sizes = sizes[sizes >= _MIN_GLINT_PIXELS]
        drift = _blur(rgb[..., 0] - rgb[..., 2], _DRIFT)
        pixels = max(int(skin.sum()), 1)
        # In float32, a sum down the columns is off by half a percent.
        red, green, blue = rgb.mean(axis=(0, 1), dtype=np.float64)
        return cls(
            red=float(red),
            green=float(green),
            blue=float(blue),
            contrast=float(gray.std()),
            hue_drift=_spread(drift[skin]),
            hair_share=float(1 - skin.mean()),
            sharpness=float(_laplacian(gray).var() * 1e3),
            grain=_spread(fine[skin & (np.abs(fine) < _GLINT_CONTRAST)]) * 1e3,
            glint_share=float(glints.sum() / pixels),
            glints_per_megapixel=float(len(sizes) / pixels * 1e6),
            glint_size=float(np.sqrt(np.median(sizes))) if len(sizes) else 0.0,
            white_share=float((skin & (rgb.min(axis=2) > _WHITE)).sum() / pixels),
        )


@dataclass(frozen=True, slots=True)
class Range:
    """One descriptor over a set of pictures: its median, 10th and 90th percentile."""

    median: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """The same with four significant digits."""
        return {name: float(f"{value:.4g}") for name, value in dataclasses.asdict(self).items()}


def summarize(pictures: Sequence[Descriptors]) -> dict[str, Range]:
    """The range of each descriptor, by its name, over one picture or more."""
    ranges = {}
    for field in dataclasses.fields(Descriptors):
        low, median, high = np.percentile([getattr(picture, field.name) for picture in pictures], (10, 50, 90))
        ranges[field.name] = Range(float(median), float(low), float(high))
    return ranges


def spot_sizes(mask: np.ndarray) -> np.ndarray:
    """The number of pixels of each spot of a boolean mask: of pixels that touch at their sides.

    Each pixel starts with its own label; neighbors take the lower one until none changes.
    """
    count = int(mask.sum())
    number = np.full(mask.shape, -1)
    number[mask] = np.arange(count)
    beside, below = mask[:, 1:] & mask[:, :-1], mask[1:] & mask[:-1]
    first = np.concatenate([number[:, :-1][beside], number[:-1][below]])
    second = np.concatenate([number[:, 1:][beside], number[1:][below]])
    label = np.arange(count)
    while (label[first] != label[second]).any():
        lower = np.minimum(label[first], label[second])
        # Lowering the label of a spot's first pixel lowers all those that point to it.
        np.minimum.at(label, label[first], lower)
        np.minimum.at(label, label[second], lower)
        while (label[label] != label).any():
            label = label[label]
    sizes: np.ndarray = np.unique(label, return_counts=True)[1]
    return sizes


def _local_skin(gray: np.ndarray) -> np.ndarray:
    """The brightness of the skin around each pixel: the median over 72×72 pixels, which hairs do not reach."""
    reduced = np.asarray(Image.fromarray(gray).reduce(8))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(reduced, 4, mode="symmetric"), (9, 9))
    medians = np.median(windows, axis=(2, 3)).astype(np.float32)
    return np.asarray(Image.fromarray(medians).resize(SIZE, Image.Resampling.BILINEAR))


def _widen(mask: np.ndarray, steps: int) -> np.ndarray:
    """The mask and every pixel at most this many steps to the side, up or down away from it."""
    for _ in range(steps):
        wide = mask.copy()
        wide[1:] |= mask[:-1]
        wide[:-1] |= mask[1:]
        wide[:, 1:] |= mask[:, :-1]
        wide[:, :-1] |= mask[:, 1:]
        mask = wide
    return mask


def _blur(field: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur with this standard deviation in pixels and mirrored edges, as a product of spectra."""
    margin = int(4 * sigma)
    padded = np.pad(field, margin, mode="symmetric")
    rows, columns = np.fft.fftfreq(padded.shape[0])[:, None], np.fft.rfftfreq(padded.shape[1])
    response = np.exp(-2 * (np.pi * sigma) ** 2 * (rows**2 + columns**2))
    blurred = np.fft.irfft2(np.fft.rfft2(padded) * response, s=padded.shape)
    inner: np.ndarray = blurred[margin:-margin, margin:-margin].astype(np.float32)
    return inner


def _laplacian(field: np.ndarray) -> np.ndarray:
    """The sum of the four neighbors less four times the pixel itself."""
    padded = np.pad(field, 1, mode="symmetric")
    around = padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2]
    laplacian: np.ndarray = around - 4 * field
    return laplacian


def _spread(values: np.ndarray) -> float:
    return float(values.std()) if len(values) else 0.0

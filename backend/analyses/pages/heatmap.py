"""The heat map over the photo: where a grader found its evidence."""

from __future__ import annotations

import io
from math import isqrt

from PIL import Image

#: Dark where the least speaks for a grade, transparent at `_CLEAR_FROM`, then light. It gets steadily lighter over any
#: skin, so color-blind readers and gray prints show the same order.
_DARK, _DARK_OPACITY = (0, 10, 26), 224
_LIGHT, _LIGHT_OPACITY = (255, 246, 205), 84
_CLEAR_FROM = 0.7
_SIDE = 96  #: pixels; the browser smooths the rest


def heatmap_png(seen: bytes) -> bytes:
    """The map of a finding, as `Finding` keeps it, as a PNG to be laid over the whole photo."""
    side = isqrt(len(seen))
    levels = Image.frombytes("L", (side, side), seen)
    heatmap = levels.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    colors = [_heatmap_color(level / 255) for level in range(256)]
    heatmap.putpalette(bytes(channel for *rgb, _opacity in colors for channel in rgb))
    file = io.BytesIO()
    heatmap.save(file, "PNG", transparency=bytes(opacity for *_rgb, opacity in colors), optimize=True)
    return file.getvalue()


def _heatmap_color(share: float) -> tuple[int, ...]:
    """Red, green, blue and opacity over a place with this share, 0 to 1, of the evidence for the grade."""
    if share < _CLEAR_FROM:
        return (*_DARK, round(_DARK_OPACITY * (1 - share / _CLEAR_FROM)))
    return (*_LIGHT, round(_LIGHT_OPACITY * (share - _CLEAR_FROM) / (1 - _CLEAR_FROM)))

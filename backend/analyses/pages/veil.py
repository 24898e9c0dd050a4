"""A map of where a grader looked, drawn as a veil to be laid over the photo."""

from __future__ import annotations

import io
from math import isqrt

from PIL import Image

#: Over the photo lies night where least spoke for a grade, nothing from `_CLEAR` of the most on, then lamp light. So
#: over any skin it gets lighter all the way, and colour-blind eyes and grey print see the same.
_NIGHT, _NIGHT_OPACITY = (0, 10, 26), 224
_LAMP, _LAMP_OPACITY = (255, 246, 205), 84
_CLEAR = 0.7
_SIDE = 96  #: pixels; the browser makes the rest smooth


def veil_png(seen: bytes) -> bytes:
    """The map of a finding, as `Finding` keeps it, as a PNG to be laid over the whole photo."""
    side = isqrt(len(seen))
    levels = Image.frombytes("L", (side, side), seen)
    veil = levels.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    colours = [_veil_colour(level / 255) for level in range(256)]
    veil.putpalette(bytes(channel for *rgb, _opacity in colours for channel in rgb))
    file = io.BytesIO()
    veil.save(file, "PNG", transparency=bytes(opacity for *_rgb, opacity in colours), optimize=True)
    return file.getvalue()


def _veil_colour(share: float) -> tuple[int, ...]:
    """Red, green, blue and opacity over a place that spoke so much, 0 to 1, for the grade."""
    if share < _CLEAR:
        return (*_NIGHT, round(_NIGHT_OPACITY * (1 - share / _CLEAR)))
    return (*_LAMP, round(_LAMP_OPACITY * (share - _CLEAR) / (1 - _CLEAR)))

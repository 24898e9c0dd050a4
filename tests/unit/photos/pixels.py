"""What a cleaned photo shows, place by place."""

from __future__ import annotations

import io

from PIL import Image

from backend.analyses.photos import (
    CleanPhoto,
)


def opened(clean: CleanPhoto) -> Image.Image:
    return Image.open(io.BytesIO(clean.jpeg), formats=("JPEG",))


def color_at(clean: CleanPhoto, x: float, y: float) -> tuple[int, ...]:
    """The color at a place given in parts of width and height."""
    return opened(clean).getpixel((int(clean.width * x), int(clean.height * y)))


def near(color: tuple[int, ...], expected: tuple[int, ...], by: int = 6) -> bool:
    return all(abs(a - b) <= by for a, b in zip(color, expected, strict=True))

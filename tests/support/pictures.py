"""Pictures for tests, made from a few lines each, and the files that Pillow writes of them."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pillow_heif
from PIL import Image, ImageDraw

from ml.data.synthetic import draw_scalp

pillow_heif.register_heif_opener()


CORNERS = {"top left": "red", "top right": "lime", "bottom left": "blue", "bottom right": "yellow"}


Maker = Callable[[], bytes]


def scalp(width: int = 640, height: int = 480) -> Image.Image:
    """A field of skin with a few hairs: no likeness, but grain and edges as a photo has them."""
    skin = Image.effect_noise((width, height), 24).convert("RGB")
    skin = Image.blend(skin, Image.new("RGB", skin.size, (205, 150, 125)), 0.7)
    draw = ImageDraw.Draw(skin)
    for i in range(12):
        x = width * i // 12
        draw.line((x, 0, x + width // 5, height), fill=(45, 32, 28), width=max(2, width // 80))
    return skin


def drawn(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A synthetic scalp, as the models know them, with a little of everything."""
    return draw_scalp(seed, (1,) * 6).resize(size, Image.Resampling.BICUBIC)


def noise(size: tuple[int, int]) -> Image.Image:
    """Pixels that no compression makes smaller."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def quadrants(width: int = 320, height: int = 192) -> Image.Image:
    """Four plain quarters, colored as in `CORNERS`, so that every turn and mirror shows."""
    picture = Image.new("RGB", (width, height), CORNERS["top left"])
    draw = ImageDraw.Draw(picture)
    right, bottom = width // 2, height // 2
    draw.rectangle((right, 0, width, bottom - 1), fill=CORNERS["top right"])
    draw.rectangle((0, bottom, right - 1, height), fill=CORNERS["bottom left"])
    draw.rectangle((right, bottom, width, height), fill=CORNERS["bottom right"])
    return picture


def encoded(picture: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    """The file that Pillow writes: `kind` JPEG, MPO, PNG, WEBP, HEIF, AVIF, BMP, TIFF, GIF or PDF."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def photo_jpeg(width: int = 640, height: int = 480) -> bytes:
    """The usual upload."""
    return encoded(scalp(width, height), quality=90)

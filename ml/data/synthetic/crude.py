"""Crude synthetic scalp close-ups, drawn from a seed: enough to calibrate statistics and to test with.

They imitate the look of the scalp-scope pictures of AI Hub's set of scalp images by type (dataSetSn 216):
one field of skin under a strong color cast, a few thick hairs with a bright streak along the shaft,
whitish specks, soft vignetting. No symptom is drawn on purpose, so nothing can be learned from them.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ml.data.synthetic.texture import SIZE

#: Casts seen in such pictures, as RGB of the bare skin: orange, pink, red, yellow, gray-green, teal.
_CASTS = (
    (214, 160, 118),
    (222, 166, 164),
    (196, 118, 104),
    (216, 192, 130),
    (150, 166, 146),
    (122, 166, 164),
)


def scalp_picture(seed: int) -> Image.Image:
    """An RGB picture of 640×480 pixels; the same seed gives the same picture."""
    random = np.random.Generator(np.random.Philox(seed))
    picture = _skin(random)
    draw = ImageDraw.Draw(picture)
    _specks(random, draw)
    _hairs(random, draw)
    return _vignette(random, picture.filter(ImageFilter.GaussianBlur(random.uniform(0.6, 1.4))))


def _skin(random: np.random.Generator) -> Image.Image:
    """Skin of one cast with soft patches, made by enlarging coarse noise."""
    width, height = SIZE
    cast = np.array(_CASTS[random.integers(len(_CASTS))]) + random.normal(0, 8, 3)
    coarse = cast + random.normal(0, random.uniform(5, 14), (9, 12, 1)) + random.normal(0, 4, (9, 12, 3))
    smooth = Image.fromarray(coarse.clip(0, 255).astype(np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
    grain = np.asarray(smooth, dtype=np.float64) + random.normal(0, 4, (height, width, 1))
    return Image.fromarray(grain.clip(0, 255).astype(np.uint8))


def _specks(random: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    for _ in range(random.integers(0, 60)):
        x, y = random.uniform(0, SIZE[0]), random.uniform(0, SIZE[1])
        wide, high = random.uniform(1, 7, 2)
        shade = int(random.uniform(200, 245))
        draw.ellipse((x - wide, y - high, x + wide, y + high), fill=(shade, shade, shade - 10))


def _hairs(random: np.random.Generator, draw: ImageDraw.ImageDraw) -> None:
    """Hairs out of follicles, roughly parallel: dark curved shafts with a bright specular streak."""
    direction = random.uniform(0, 2 * np.pi)
    for _ in range(random.integers(5, 22)):
        root = random.uniform((0, 0), SIZE)
        draw.ellipse((*(root - 9), *(root + 9)), fill=(96, 72, 60))
        for _ in range(random.integers(1, 4)):
            angle = direction + random.normal(0, 0.35)
            bend = random.normal(0, 0.0008)
            width = int(random.integers(6, 15))
            along = np.arange(0, 800, 8)[:, None]
            turn = angle + bend * along
            shaft = root + along * np.concatenate((np.cos(turn), np.sin(turn)), axis=1)
            shade = int(random.integers(18, 60))
            draw.line(_points(shaft), fill=(shade + 14, shade + 6, shade), width=width, joint="curve")
            draw.line(_points(shaft - np.array((0, width / 5))), fill=(168, 156, 146), width=max(1, width // 5))


def _points(path: np.ndarray) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in path]


def _vignette(random: np.random.Generator, picture: Image.Image) -> Image.Image:
    """Darken toward the corners."""
    width, height = SIZE
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = 1 - random.uniform(0.1, 0.35) * (x**2 + y**2) / 2
    return Image.fromarray((np.asarray(picture) * light[..., None]).clip(0, 255).astype(np.uint8))

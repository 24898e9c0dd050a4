"""Pictures that a gate learns from: scalps, heads from too far away and other things.

Each is varied so widely that neither color nor shape, sharpness, borders or JPEG gives its class away.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from ml.data.records import Record
from ml.data.synthetic import draw_head, draw_non_scalp, draw_scalp
from ml.data.synthetic.texture import stream
from ml.labels import GRADES, SYMPTOMS
from ml.preprocessing import open_photo


def drawn_scalp(seed: int) -> Image.Image:
    """A synthetic scalp with each symptom at any grade alike."""
    grades = stream(seed, "grades of the gate").integers(0, len(GRADES), len(SYMPTOMS))
    return draw_scalp(seed, tuple(int(grade) for grade in grades))


def scalps(records: Sequence[Record], count: int, seed: int) -> Iterator[Image.Image]:
    """`count` varied pictures of scalps, spread over the records; every third, without records all, drawn."""
    for number in range(count):
        drawn = not records or number % 3 == 2
        picture = drawn_scalp(seed + number) if drawn else open_photo(records[number * len(records) // count].read())
        yield vary(picture, stream(seed + number, "variation of a scalp"))


def heads(count: int, seed: int) -> Iterator[Image.Image]:
    """`count` varied pictures of drawn heads from too far away."""
    for number in range(seed, seed + count):
        yield vary(draw_head(number), stream(number, "variation of a head"), closest=1.3, stretch=0.3)


def others(count: int, seed: int) -> Iterator[Image.Image]:
    """`count` varied pictures of other things that are drawn."""
    for number in range(seed, seed + count):
        yield vary(draw_non_scalp(number), stream(number, "variation of another thing"), closest=2.5, stretch=0.4)


def views(
    photographs: Sequence[Path], count: int, seed: int, *, closest: float, stretch: float
) -> Iterator[Image.Image]:
    """`count` pictures of photographs, one after the other: first each as it is, then again and again varied."""
    for number in range(count):
        photo = open_photo(photographs[number % len(photographs)])
        random = stream(seed + number, "variation of a photograph")
        yield photo if number < len(photographs) else vary(photo, random, closest=closest, stretch=stretch)


def vary(
    picture: Image.Image, random: np.random.Generator, *, closest: float = 1.6, stretch: float = 0.2
) -> Image.Image:
    """The picture as another camera would have taken it: scale, turn, light, color, sharpness, noise, JPEG.

    Its scale is between 0.6 and `closest`; `stretch` is the standard deviation of the logarithm by which its sides
    change, as pictures of other shapes are squeezed into the same square. One in eight has the round black mask of a
    scope, one in eight has plain bands at its edges.
    """
    varied = _developed(_framed(picture.convert("RGB"), random, closest, stretch), random)
    border = random.random()
    if border < 0.125:
        varied = _masked(varied, random)
    elif border < 0.25:
        varied = _banded(varied, random)
    return _compressed(varied, random)


def _framed(picture: Image.Image, random: np.random.Generator, closest: float, stretch: float) -> Image.Image:
    """A part of the picture, or the picture smaller with its mirror images around it, turned and mirrored."""
    scale = float(np.exp(random.uniform(np.log(0.6), np.log(closest))))
    ratio = float(np.exp(random.normal(0, stretch)))
    width, height = picture.width / scale * ratio, picture.height / scale / ratio
    pad = (max(0, int(width - picture.width) // 2 + 2), max(0, int(height - picture.height) // 2 + 2))
    if any(pad):
        around = ((pad[1], pad[1]), (pad[0], pad[0]), (0, 0))
        picture = Image.fromarray(np.pad(np.asarray(picture), around, mode="symmetric"))
    left = random.beta(2, 2) * max(picture.width - width, 0)
    top = random.beta(2, 2) * max(picture.height - height, 0)
    long = int(random.choice((320, 480, 640)))
    size = (long, long * 3 // 4)
    framed = picture.resize(size, Image.Resampling.BICUBIC, (left, top, left + width, top + height))
    framed = framed.transpose(Image.Transpose(int(random.integers(0, 7))))
    return ImageOps.mirror(framed) if random.random() < 0.5 else framed


def _developed(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    pixels = np.asarray(picture, dtype=np.float32) / 255
    gray = pixels.mean(axis=2, keepdims=True)
    saturation = 0.0 if random.random() < 0.12 else random.uniform(0.3, 1.6)
    pixels = np.clip(gray + saturation * (pixels - gray), 0, 1) ** np.float32(np.exp(random.normal(0, 0.3)))
    gains = np.exp(random.normal(0, 0.12, 3) + random.normal(0, 0.15)).astype(np.float32)
    contrast, mean = np.float32(random.uniform(0.6, 1.4)), pixels.mean()
    pixels = (mean + contrast * (pixels - mean)) * gains
    pixels = pixels + random.normal(0, random.uniform(0, 0.03), pixels.shape).astype(np.float32)
    developed = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    if random.random() < 0.3:
        return developed.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 2.0)))
    if random.random() < 0.3:
        return developed.filter(ImageFilter.UnsharpMask(random.uniform(0.8, 2.5), int(random.uniform(40, 200)), 1))
    return developed


def _masked(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    mask = Image.new("L", picture.size)
    radius = min(picture.size) * random.uniform(0.42, 0.6)
    middle = np.array(picture.size) * random.normal(0.5, 0.03, 2)
    ImageDraw.Draw(mask).ellipse((*(middle - radius), *(middle + radius)), fill=255)
    return Image.composite(picture, Image.new("RGB", picture.size), mask.filter(ImageFilter.GaussianBlur(2)))


def _banded(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """White, black or gray bands at one or two edges, as exports and screenshots add them."""
    draw, color = ImageDraw.Draw(picture), (int(random.choice((0, 0, 114, 255, 255, 255))),) * 3
    for edge in random.permutation(4)[: random.integers(1, 3)]:
        wide, high = (random.uniform(0.02, 0.12) * side for side in picture.size)
        left, top = (picture.width - wide if edge == 1 else 0), (picture.height - high if edge == 3 else 0)
        right, bottom = (wide if edge == 0 else picture.width), (high if edge == 2 else picture.height)
        draw.rectangle((left, top, right, bottom), fill=color)
    return picture


def _compressed(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=int(random.uniform(40, 97)))
    with Image.open(file) as compressed:
        return compressed.convert("RGB")

"""Scenes without people: blank frames, fabric, fur, grass, text and more, each (3, height, width)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, cells, noise, step

_LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOP.,-:%"))


def draw_background(random: np.random.Generator, seed: int) -> np.ndarray:
    """The background behind a person, often pale or out of focus: one of `BACKGROUNDS`, (3, height, width)."""
    scene = BACKGROUNDS[random.integers(len(BACKGROUNDS))](random, seed)
    gray = scene.mean(axis=0, keepdims=True)
    scene = gray + np.float32(random.uniform(0, 0.7)) * (scene - gray)
    pixels = (scene.transpose(1, 2, 0).clip(0, 1) * 255).astype(np.uint8)
    return _scene(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(random.uniform(0, 6))))


def _tinted(field: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The scene (3, height, width) that goes from one color to the other as the field goes from 0 to 1."""
    mixed: np.ndarray = first[:, None, None] + field[None] * (second - first)[:, None, None]
    return mixed


def _scene(image: Image.Image) -> np.ndarray:
    return np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / 255


def _blank(random: np.random.Generator, seed: int) -> np.ndarray:
    """A lens cap, a wall, an overexposed frame: one color and hardly anything else."""
    level = random.choice((random.uniform(0, 0.12), random.uniform(0.2, 0.85), random.uniform(0.88, 1)))
    return _tinted(noise(random, 200) * 0.02, np.clip(level + random.normal(0, 0.06, 3), 0, 1), np.ones(3))


def _gradient(random: np.random.Generator, seed: int) -> np.ndarray:
    angle = random.uniform(0, 2 * np.pi)
    x, y = np.linspace(-1, 1, WIDTH)[None, :], np.linspace(-1, 1, HEIGHT)[:, None]
    return _tinted(0.5 + 0.4 * (x * np.cos(angle) + y * np.sin(angle)), *random.random((2, 3)))


def _clouds(random: np.random.Generator, seed: int) -> np.ndarray:
    field = sum(noise(random, grain) * grain for grain in (200, 90, 40, 18)) / 350
    return _tinted(np.clip(0.5 + 0.5 * field, 0, 1), *random.random((2, 3)))


def _stones(random: np.random.Generator, seed: int) -> np.ndarray:
    """Gravel, tiles, leather, cork: cells of many sizes."""
    pieces = cells(random, random.uniform(12, 90), warp=random.uniform(0, 0.3))
    field = (0.25 + 0.6 * pieces.value) * np.clip(pieces.edge * random.uniform(2, 12), 0, 1) + 0.06 * noise(random, 3)
    return _tinted(field, random.random(3) * 0.4, 0.4 + random.random(3) * 0.6)


def _fabric(random: np.random.Generator, seed: int) -> np.ndarray:
    """A weave: threads over and under each other."""
    angle, thread = random.uniform(0, np.pi), random.uniform(4, 18)
    x, y = np.arange(WIDTH)[None, :] / thread, np.arange(HEIGHT)[:, None] / thread
    x, y = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    x, y = x + 0.12 * noise(random, 60), y + 0.12 * noise(random, 60)
    over = (np.floor(x) + np.floor(y)) % 2
    field = 0.35 + 0.5 * np.where(over == 0, np.abs(np.sin(np.pi * x)), np.abs(np.sin(np.pi * y)))
    return _tinted(field + 0.05 * noise(random, 4), random.random(3) * 0.4, random.random(3))


def _strokes(random: np.random.Generator, count: int, length: float, width: int, way: float, ground: int) -> np.ndarray:
    """Dense strokes in shades of one color over each other, as (height, width) between 0 and 1."""
    image = Image.new("L", SIZE, ground)
    draw = ImageDraw.Draw(image)
    starts, turn = random.uniform((-40, -40), (WIDTH + 40, HEIGHT + 60), (count, 2)), random.normal(0, 0.25, (count, 2))
    reach, shades = length * random.uniform(0.5, 1.4, count), np.sort(random.integers(10, 250, count))
    shades = np.clip(shades + random.integers(-60, 60, count), 0, 255)
    widths, bend = random.integers(1, width + 1, count), noise(random, 180)
    for start, turns, far, shade, thick in zip(starts, turn, reach, shades, widths, strict=True):
        column, row = int(np.clip(start[0], 0, WIDTH - 1)), int(np.clip(start[1], 0, HEIGHT - 1))
        first = way + turns[0] + 0.5 * bend[row, column]
        second = first + turns[1]
        middle = start + far / 2 * np.array((np.cos(first), np.sin(first)))
        end = middle + far / 2 * np.array((np.cos(second), np.sin(second)))
        draw.line([tuple(start), tuple(middle), tuple(end)], fill=int(shade), width=int(thick))
    return np.asarray(image, dtype=np.float32) / 255


def _fur(random: np.random.Generator, seed: int) -> np.ndarray:
    """Fur: thousands of short fine strokes in patches of two colors, and no skin between."""
    field = _strokes(random, 4000, random.uniform(12, 60), 2, random.uniform(0, 2 * np.pi), 40)
    dark = np.array((0.12, 0.09, 0.07)) * random.uniform(0.3, 2)
    first, second = (dark + np.array((0.75, 0.62, 0.5)) * random.uniform(0.2, 1.1) for _ in range(2))
    patches = step(noise(random, random.uniform(40, 200)), -0.3, 0.3)
    mixed: np.ndarray = _tinted(field, dark, first) * (1 - patches) + _tinted(field, dark, second) * patches
    return mixed


def _grass(random: np.random.Generator, seed: int) -> np.ndarray:
    field = _strokes(random, 1200, random.uniform(60, 170), 6, -np.pi / 2, 60)
    return _tinted(field, np.array((0.05, 0.12, 0.03)), np.array((0.6, 0.85, 0.35)) * random.uniform(0.7, 1.1))


def _text(random: np.random.Generator, seed: int) -> np.ndarray:
    paper, ink = random.uniform(0.75, 1, 3), random.uniform(0, 0.35, 3)
    paper, ink = (paper, ink) if random.random() < 0.8 else (ink, paper)
    image = Image.new("L", SIZE)
    draw = ImageDraw.Draw(image)
    size = random.uniform(11, 46)
    font = ImageFont.load_default(size)
    for top in np.arange(random.uniform(0, size), HEIGHT, size * 1.45):
        words = ("".join(random.choice(_LETTERS, random.integers(1, 10))) for _ in range(14))
        draw.text((random.uniform(-20, 50), float(top)), " ".join(words), fill=255, font=font)
    image = image.rotate(random.normal(0, 6), Image.Resampling.BILINEAR)
    return _tinted(np.asarray(image, dtype=np.float32) / 255, paper, ink)


def _shapes(random: np.random.Generator, seed: int) -> np.ndarray:
    """Rooms, screens, streets, reduced to what a network first sees of them: edges and areas of color."""
    image = Image.new("RGB", SIZE, tuple(int(value) for value in random.integers(0, 256, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(random.integers(4, 30)):
        corner, extent = random.uniform((-80, -80), SIZE), random.uniform(15, 300, 2)
        box, fill = (*corner, *(corner + extent)), tuple(int(value) for value in random.integers(0, 256, 3))
        kind = random.integers(3)
        if kind == 0:
            draw.rectangle(box, fill=fill)
        elif kind == 1:
            draw.ellipse(box, fill=fill)
        else:
            draw.polygon([tuple(point) for point in corner + random.uniform(-150, 150, (4, 2))], fill=fill)
    return _scene(image) * (1 + 0.1 * noise(random, 160)) + 0.02 * noise(random, 4)


def _lights(random: np.random.Generator, seed: int) -> np.ndarray:
    """Lights out of focus before the dark."""
    image = Image.new("RGB", SIZE, tuple(int(value) for value in random.integers(0, 50, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(random.integers(8, 60)):
        place, radius = random.uniform((0, 0), SIZE), random.uniform(6, 60)
        fill = tuple(int(value) for value in random.integers(60, 256, 3))
        draw.ellipse((*(place - radius), *(place + radius)), fill=fill)
    return _scene(image.filter(ImageFilter.GaussianBlur(random.uniform(1, 14))))


def _landscape(random: np.random.Generator, seed: int) -> np.ndarray:
    """Sky over ground with a ragged horizon."""
    horizon = HEIGHT * random.uniform(0.3, 0.7) + 40 * noise(random, 90)[:1]
    below = np.clip((np.arange(HEIGHT)[:, None] - horizon) / 2, 0, 1)
    sky = _tinted(np.clip(0.5 + 0.3 * noise(random, 120), 0, 1), np.array((0.4, 0.6, 0.9)), np.array((0.95, 0.9, 0.9)))
    ground = _tinted(np.clip(0.5 + 0.3 * noise(random, 9), 0, 1), random.random(3) * 0.4, random.random(3) * 0.7)
    mixed: np.ndarray = sky + below[None] * (ground - sky)
    return mixed


def _static(random: np.random.Generator, seed: int) -> np.ndarray:
    field = noise(random, random.uniform(1.0, 4.0))
    return _tinted(np.clip(0.5 + 0.25 * field, 0, 1), *random.random((2, 3)))


#: All scenes.
SCENES: tuple[Callable[[np.random.Generator, int], np.ndarray], ...] = (
    _blank,
    _fabric,
    _fur,
    _grass,
    _text,
    _shapes,
    _gradient,
    _stones,
    _clouds,
    _lights,
    _landscape,
    _static,
)
#: Scenes that people are seen before.
BACKGROUNDS = (_blank, _fabric, _shapes, _gradient, _stones, _clouds, _lights, _landscape)

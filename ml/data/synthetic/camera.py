"""Camera: light, white balance, focus, sensor and JPEG of a scalp scope, varied as widely as between clinics."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFilter

from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, spot, step, stream

#: Gains of red, green and blue that make the casts of such pictures out of white light, and how often:
#: gray-green, teal, orange, pink, red, yellow, none, and the bluish gray of scopes with white diodes.
_CASTS = (
    (0.17, (0.83, 1.07, 1.02)),
    (0.17, (0.74, 1.07, 1.14)),
    (0.11, (1.05, 0.92, 0.80)),
    (0.10, (1.03, 0.91, 1.02)),
    (0.03, (1.08, 0.78, 0.76)),
    (0.07, (1.0, 0.97, 0.76)),
    (0.10, (0.97, 0.99, 1.0)),
    (0.25, (0.87, 0.97, 1.13)),
)

#: Share of the pictures without color, as some scopes save them.
_GRAY_SHARE = 0.04


def take(scene: np.ndarray, seed: int) -> Image.Image:
    """The photo of a scene (3, height, width) in white light: an RGB picture that went through a JPEG."""
    random = stream(seed, "camera")
    light, gains = _light(random), _gains(random)
    for channel, gain in zip(scene, gains, strict=True):
        channel *= light * gain
    saturation = np.float32(0.0 if random.random() < _GRAY_SHARE else random.uniform(0.6, 1.15))
    gray = scene.mean(axis=0) * (1 - saturation)
    bytes_of = [np.clip((channel * saturation + gray) * 255, 0, 255).astype(np.uint8) for channel in scene]
    photo = Image.merge("RGB", [Image.fromarray(channel) for channel in bytes_of])
    photo = _focus(photo.point(_tones(random)), random)
    photo = Image.fromarray(np.clip(np.asarray(photo) + _grain(random), 0, 255).astype(np.uint8))
    photo = _resampled(photo, random)
    if random.random() < 0.45:
        photo = photo.filter(ImageFilter.UnsharpMask(random.uniform(0.8, 2.2), int(random.uniform(30, 150)), 1))
    return _compressed(_banded(photo, random), int(random.uniform(60, 95)), int(random.random() < 0.5) * 2)


def _resampled(photo: Image.Image, random: np.random.Generator) -> Image.Image:
    """The photo as a sensor of fewer pixels saves it larger than it took it, on two pictures of five."""
    share, few = random.uniform(0.4, 0.9), random.random() < 0.4
    if not few:
        return photo
    small = photo.resize((round(WIDTH * share), round(HEIGHT * share)), Image.Resampling.BILINEAR)
    return small.resize(SIZE, Image.Resampling.BICUBIC)


def _banded(photo: Image.Image, random: np.random.Generator) -> Image.Image:
    """A white or black band at one edge or two, as software that pads pictures leaves it, on one picture in nine."""
    wide, sides = random.uniform(0.015, 0.1, 4), random.random(4) < 0.4
    if random.random() > 0.11:
        return photo
    box = [0, 0, WIDTH, HEIGHT]
    for side in np.flatnonzero(sides):
        length = WIDTH if side % 2 == 0 else HEIGHT
        box[side] = round(wide[side] * length) if side < 2 else length - round(wide[side] * length)
    banded = Image.new("RGB", SIZE, (255,) * 3 if random.random() < 0.7 else (0,) * 3)
    banded.paste(photo.resize((box[2] - box[0], box[3] - box[1])), (box[0], box[1]))
    return banded


def _tones(random: np.random.Generator) -> list[int]:
    """The tone curve for bytes of red, green and blue: bent like a gamma of about 0.85 to 1.2, its black lifted."""
    tone = np.linspace(0, 1, 256)
    tone += random.uniform(-0.45, 0.3) * tone * (1 - tone)
    black = random.uniform(0.0, 0.13)
    curve: list[int] = np.round(255 * (black + tone * (1 - black))).astype(int).tolist()
    return curve * 3


def _gains(random: np.random.Generator) -> np.ndarray:
    shares = np.array([share for share, _ in _CASTS])
    cast = np.array(_CASTS[random.choice(len(_CASTS), p=shares / shares.sum())][1])
    cast = 1 + (cast - 1) * random.uniform(0.5, 1.15) + random.normal(0, 0.025, 3)
    gains: np.ndarray = cast * np.exp(random.normal(0.0, 0.12))
    return gains.astype(np.float32)


def _light(random: np.random.Generator) -> np.ndarray:
    """Brightness over the frame: brightest near the middle, falling softly to the corners, one side darker."""
    middle, tilt = random.normal(0, 0.18, 2), random.normal(0, 0.06, 2)
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :]
    y = np.linspace(-0.75, 0.75, HEIGHT, dtype=np.float32)[:, None]
    away = (x - np.float32(middle[0])) ** 2 + (y - np.float32(middle[1])) ** 2
    light = 1 - np.float32(random.uniform(0.02, 0.4)) * away + np.float32(tilt[0]) * x + np.float32(tilt[1]) * y
    if random.random() < 0.3:
        lamp, ring = np.zeros_like(light), random.choice((0.0, random.uniform(1.5, 4.0)))
        spot(
            lamp,
            random.uniform((0, 0), SIZE),
            random.uniform(60, 160) / (1 + ring),
            random.uniform(0.08, 0.25),
            ring=ring,
        )
        light = light + lamp
    return np.asarray(light, dtype=np.float32)


def _focus(photo: Image.Image, random: np.random.Generator) -> Image.Image:
    """Blur by focus, sometimes more on one side, since the skin curves away from the lens."""
    radius = float(np.clip(np.exp(random.normal(0.0, 0.45)), 0.4, 2.6))
    tilted, angle, extra = random.random() < 0.4, random.uniform(0, 2 * np.pi), random.uniform(0.8, 2.0)
    sharp = photo.filter(ImageFilter.GaussianBlur(radius))
    if not tilted:
        return sharp
    x = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None]
    far = step(x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)), 0.1, 1.1)
    mask = Image.fromarray((far * 255).astype(np.uint8))
    return Image.composite(photo.filter(ImageFilter.GaussianBlur(radius + extra)), sharp, mask)


def _grain(random: np.random.Generator) -> np.ndarray:
    """Noise of the sensor in steps of a byte (height, width, 3): fine in brightness, coarser in color."""
    level = 255 * float(np.exp(random.normal(-5.3, 0.6)).clip(0.001, 0.025))
    # The difference of two even bytes is spread like a triangle, of standard deviation 256 / √6.
    first, second = random.integers(0, 256, (2, HEIGHT, WIDTH), dtype=np.uint8).astype(np.int16)
    fine = np.rint((first - second) * np.float32(level * 6**0.5 / 256)).astype(np.int16)
    coarse = np.rint(random.normal(0, 0.45 * level, (HEIGHT // 3, WIDTH // 3 + 1, 3))).astype(np.int16)
    color = np.repeat(np.repeat(coarse, 3, axis=0), 3, axis=1)[:, :WIDTH]
    grain: np.ndarray = color + fine[..., None]
    return grain


def _compressed(photo: Image.Image, quality: int, subsampling: int) -> Image.Image:
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=quality, subsampling=subsampling)
    with Image.open(file) as compressed:
        return compressed.convert("RGB")

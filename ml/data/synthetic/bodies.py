"""Skin other than scalps: forearms, moles under a dermatoscope, faces, hands and brushes, with the hairs that belong.

The gate rejects them, hairs or not: every grade and all figures are about scalps, and an answer with a warning would
still be read as an answer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ml.data.synthetic.scenes import draw_background
from ml.data.synthetic.skin import lay_skin
from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, cells, cover, noise, spot, step
from ml.data.synthetic.view import choose_view

#: Skin from the lightest to the darkest, as red, green and blue in white light.
SKIN_TONES = np.array(
    ((0.95, 0.80, 0.73), (0.88, 0.69, 0.59), (0.78, 0.58, 0.45), (0.60, 0.41, 0.30), (0.36, 0.25, 0.19))
)
#: Colors of hair and how often: black, dark brown, brown, red, blond, gray, white, dyed.
HAIR_COLORS = (
    (0.27, (0.05, 0.045, 0.045)),
    (0.23, (0.15, 0.10, 0.07)),
    (0.14, (0.30, 0.20, 0.13)),
    (0.05, (0.45, 0.21, 0.10)),
    (0.11, (0.66, 0.52, 0.34)),
    (0.10, (0.48, 0.47, 0.46)),
    (0.07, (0.84, 0.83, 0.81)),
    (0.03, (0.45, 0.20, 0.45)),
)
#: Lines are drawn this many times larger, so that they come out thinner than a pixel.
OVERSAMPLING = 2


def draw_skin_tone(random: np.random.Generator) -> np.ndarray:
    """A skin color: red, green, blue, 0 to 1."""
    place = random.uniform(0, len(SKIN_TONES) - 1) * random.uniform(0.4, 1)
    low = int(place)
    tone = SKIN_TONES[low] + (place - low) * (SKIN_TONES[min(low + 1, len(SKIN_TONES) - 1)] - SKIN_TONES[low])
    toned: np.ndarray = tone * np.exp(random.normal(0, 0.06)) + random.normal(0, 0.015, 3)
    return toned


def draw_hair_color(random: np.random.Generator) -> np.ndarray:
    """A hair color: red, green, blue, 0 to 1."""
    shares = np.array([share for share, _ in HAIR_COLORS])
    color = np.array(HAIR_COLORS[random.choice(len(HAIR_COLORS), p=shares / shares.sum())][1])
    colored: np.ndarray = (color * np.exp(random.normal(0, 0.08, 3))).clip(0.02, 0.95)
    return colored


def enlarge(scene: np.ndarray) -> Image.Image:
    """The scene as a picture `OVERSAMPLING` times larger, to draw lines on."""
    pixels = (scene.transpose(1, 2, 0).clip(0, 1) * 255).astype(np.uint8)
    return Image.fromarray(pixels).resize((WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING), Image.Resampling.BILINEAR)


def reduce(canvas: Image.Image) -> np.ndarray:
    """The scene (3, height, width) of such a larger picture."""
    pixels = np.asarray(canvas.resize(SIZE, Image.Resampling.BOX), dtype=np.float32)
    return pixels.transpose(2, 0, 1) / 255


def as_bytes(color: np.ndarray) -> tuple[int, ...]:
    """A color as Pillow wants it."""
    return tuple((color.clip(0, 1) * 255).astype(int).tolist())


def _bare_skin(random: np.random.Generator, seed: int) -> np.ndarray:
    """Skin of a cheek or an arm: no follicle, no hair."""
    return lay_skin(seed, seed, choose_view(seed)) * np.float32(random.uniform(0.6, 1.1))


def _forearm(random: np.random.Generator, seed: int) -> np.ndarray:
    """Skin over a rounded arm or leg with fine hairs that all lie one way, filling the frame or before something."""
    tone, hair = draw_skin_tone(random), draw_hair_color(random)
    angle, wide = random.uniform(0, np.pi), random.uniform(120, 500)
    x = np.arange(WIDTH, dtype=np.float32)[None, :] - np.float32(WIDTH / 2 + random.normal(0, 60))
    y = np.arange(HEIGHT, dtype=np.float32)[:, None] - np.float32(HEIGHT / 2 + random.normal(0, 50))
    aside = (x * np.float32(np.sin(angle)) - y * np.float32(np.cos(angle))) / np.float32(wide)
    aside = aside + 0.06 * noise(random, 250)
    inside = 1 - step(np.abs(aside), 0.98, 1.02)
    light = 1.05 - np.float32(random.uniform(0.15, 0.5)) * (aside - np.float32(random.uniform(-0.4, 0.4))) ** 2
    light = light * np.float32(random.uniform(0.75, 1.1))
    plates = cells(random, random.uniform(5, 16), warp=0.2)
    light = light * (1 + 0.03 * noise(random, 70) + 0.02 * noise(random, 4) - 0.05 * (plates.edge < 0.12))
    scene = draw_background(random, seed)
    cover(scene, inside, [part * light for part in tone])
    if random.random() < 0.6:
        cover(scene, inside * 0.6 * step(noise(random, random.uniform(4, 12)), 2.0, 2.6), list(0.55 * tone))
    canvas = enlarge(scene)
    draw = ImageDraw.Draw(canvas)
    way, bend, size = angle + random.uniform(0.2, 1.2) * random.choice((-1, 1)), noise(random, 160), wide / 200
    count, length = int(np.exp(random.uniform(np.log(40), np.log(700)))), random.uniform(12, 40) * size
    for _ in range(count):
        start = random.uniform((0, 0), SIZE)
        column, row = start.astype(int)
        if inside[row, column] < 0.9:
            continue
        turn, reach = way + 0.35 * bend[row, column] + random.normal(0, 0.2), length * random.uniform(0.4, 1.4)
        middle = start + reach / 2 * np.array((np.cos(turn), np.sin(turn)))
        turn += random.normal(0, 0.35)
        end = middle + reach / 2 * np.array((np.cos(turn), np.sin(turn)))
        line = [tuple(OVERSAMPLING * point) for point in (start, middle, end)]
        width = max(1, round(OVERSAMPLING * size * random.uniform(0.3, 0.8)))
        draw.line(line, fill=as_bytes(hair * np.exp(random.normal(0, 0.3)) + 0.25 * tone), width=width)
    return reduce(canvas)


def _mole(random: np.random.Generator, seed: int) -> np.ndarray:
    """A brown mole under a dermatoscope: its network and dots, bubbles, now and then hairs and a ruler, in a ring."""
    tone = draw_skin_tone(random) * 0.6 + np.array((0.9, 0.72, 0.66)) * 0.4
    light = 1 + 0.03 * noise(random, 120) + 0.015 * noise(random, 5)
    scene = np.stack([part * light for part in tone]).astype(np.float32)
    x = np.arange(WIDTH, dtype=np.float32)[None, :] - np.float32(WIDTH / 2 + random.normal(0, 40))
    y = np.arange(HEIGHT, dtype=np.float32)[:, None] - np.float32(HEIGHT / 2 + random.normal(0, 30))
    radius, stretch = random.uniform(50, 190), np.float32(np.exp(random.normal(0, 0.2)))
    reach = (
        np.hypot(x * stretch, y / stretch) / np.float32(radius) + 0.18 * noise(random, 60) + 0.06 * noise(random, 15)
    )
    body = 1 - step(reach, random.uniform(0.4, 0.9), 1.1)
    brown = np.array((0.42, 0.25, 0.16)) * np.exp(random.normal(0, 0.3)) + random.normal(0, 0.03, 3)
    net = 1 - step(cells(random, random.uniform(9, 22), warp=0.3).edge, 0.05, 0.35)
    cover(scene, body * np.float32(random.uniform(0.4, 0.9)), brown)
    cover(scene, body * net * np.float32(random.uniform(0, 0.7)), 0.55 * brown)
    cover(
        scene,
        body * step(noise(random, 40), 0.5, 1.4) * np.float32(random.uniform(0, 0.8)),
        random.uniform(0.3, 1.3) * brown,
    )
    dots = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for _ in range(random.integers(0, 30)):
        place = np.array((WIDTH, HEIGHT)) / 2 + random.normal(0, radius * 0.6, 2)
        spot(dots, place, random.uniform(2, 6), 0.8)
    cover(scene, dots, 0.35 * brown)
    canvas = enlarge(scene)
    draw = ImageDraw.Draw(canvas)
    hair = draw_hair_color(random)
    for _ in range(random.integers(1, 40) if random.random() < 0.6 else 0):
        start, turn = random.uniform((0, 0), SIZE), random.uniform(0, 2 * np.pi)
        line, bend, reach = [tuple(OVERSAMPLING * start)], random.normal(0, 0.12), random.uniform(60, 320)
        for _ in range(8):
            start, turn = start + reach / 8 * np.array((np.cos(turn), np.sin(turn))), turn + bend
            line.append(tuple(OVERSAMPLING * start))
        draw.line(line, fill=as_bytes(hair), width=int(random.integers(2, 7)), joint="curve")
    if random.random() < 0.2:
        for mark in np.arange(0, WIDTH * OVERSAMPLING, random.uniform(16, 50)).tolist():
            draw.line([(mark, HEIGHT * OVERSAMPLING), (mark, HEIGHT * OVERSAMPLING - 30)], fill=(20, 20, 20), width=2)
    for _ in range(random.integers(1, 12) if random.random() < 0.4 else 0):
        place, size = random.uniform((0, 0), SIZE) * OVERSAMPLING, random.uniform(4, 30)
        draw.ellipse((*(place - size), *(place + size)), outline=(245, 240, 235), width=2)
    return reduce(_ringed(canvas, random) if random.random() < 0.5 else canvas)


def _ringed(canvas: Image.Image, random: np.random.Generator) -> Image.Image:
    """The picture within the dark ring of a dermatoscope."""
    mask = Image.new("L", canvas.size)
    radius = canvas.height * random.uniform(0.44, 0.66)
    middle = np.array(canvas.size) / 2 + random.normal(0, 20, 2)
    ImageDraw.Draw(mask).ellipse((*(middle - radius), *(middle + radius)), fill=255)
    dark = Image.new("RGB", canvas.size, tuple(random.integers(0, 30, 3).tolist()))
    return Image.composite(canvas, dark, mask.filter(ImageFilter.GaussianBlur(random.uniform(1, 30))))


def _face(random: np.random.Generator, seed: int) -> np.ndarray:
    """A face from the front: hair, eyes, brows, nose and mouth, whole or from near."""
    tone, hair = draw_skin_tone(random), draw_hair_color(random)
    canvas = enlarge(draw_background(random, seed))
    draw = ImageDraw.Draw(canvas)
    wide = OVERSAMPLING * float(np.exp(random.uniform(np.log(70), np.log(300))))
    high, middle = wide * random.uniform(1.2, 1.5), np.array(canvas.size) / 2 + random.normal(0, 60, 2)

    def oval(u: float, v: float, a: float, b: float, color: np.ndarray) -> None:
        at = middle + np.array((u * wide, v * high))
        draw.ellipse((at[0] - a * wide, at[1] - b * high, at[0] + a * wide, at[1] + b * high), fill=as_bytes(color))

    cloth = random.random(3)
    oval(0, 2.0, 2.3, 0.95, cloth)
    if random.random() < 0.5:
        oval(0, random.uniform(0.1, 0.5), random.uniform(1.1, 1.4), random.uniform(1.0, 1.4), hair)
    oval(0, 0.95, 0.5, 0.5, 0.85 * tone)
    oval(0, -0.15, 1.08, 1.0, hair if random.random() < 0.85 else tone)
    oval(0, random.uniform(0.05, 0.18), 0.92, 0.95, tone)
    white, iris = np.array((0.92, 0.9, 0.88)), random.uniform(0.05, 0.5) * np.array((0.9, 0.8, 1.0))
    brow, open_ = random.uniform(-0.28, -0.2), random.uniform(0.02, 0.06)
    for side in (-0.4, 0.4):
        oval(side, 0, 0.22, open_ * 1.4, 0.75 * tone)
        oval(side, 0, 0.17, open_, white)
        oval(side, 0, 0.07, open_, iris)
        oval(side, brow, 0.24, 0.03, 0.7 * hair + 0.2 * tone)
        oval(side * 0.25, 0.42, 0.06, 0.025, 0.5 * tone)
    oval(0, 0.3, 0.12, 0.14, 0.95 * tone + 0.03)
    lips = tone * np.array((0.9, 0.6, 0.6))
    oval(0, 0.65, random.uniform(0.25, 0.42), random.uniform(0.04, 0.1), lips)
    if random.random() < 0.4:
        oval(0, 0.65, 0.22, 0.025, white if random.random() < 0.5 else 0.4 * lips)
    soft = canvas.filter(ImageFilter.GaussianBlur(wide * random.uniform(0.01, 0.035)))
    x = (np.arange(WIDTH, dtype=np.float32)[None, :] * OVERSAMPLING - middle[0]) / wide
    light = 1.05 - 0.2 * (x.clip(-1, 1) - random.uniform(-0.7, 0.7)) ** 2 + 0.02 * noise(random, 4)
    return np.asarray(reduce(soft) * light + 0.02 * noise(random, 12), dtype=np.float32)


def _hand(random: np.random.Generator, seed: int) -> np.ndarray:
    """A hand, its fingers spread or closed."""
    tone = draw_skin_tone(random)
    canvas = enlarge(draw_background(random, seed))
    size = float(np.exp(random.uniform(np.log(120), np.log(420))))
    palm = np.array(canvas.size) / 2 + random.normal(0, 60, 2)
    turn, spread, nails = random.uniform(0, 2 * np.pi), random.uniform(0.12, 0.4), random.random() < 0.6
    draw = ImageDraw.Draw(canvas)

    def rounded(start: np.ndarray, end: np.ndarray, width: float, color: np.ndarray) -> None:
        draw.line([tuple(start), tuple(end)], fill=as_bytes(color), width=int(width))
        for tip in (start, end):
            draw.ellipse((*(tip - width / 2), *(tip + width / 2)), fill=as_bytes(color))

    for number in range(5):
        angle = turn + (number - 2) * spread * (2.2 if number == 0 else 1)
        way = np.array((np.cos(angle), np.sin(angle)))
        aside = np.array((-np.sin(turn), np.cos(turn))) * (number - 2) * 0.22 * size
        start = palm + aside + 0.3 * size * way
        end = start + way * size * (0.55 if number == 0 else random.uniform(0.75, 1.0))
        rounded(start, end, 0.25 * size, 0.75 * tone)
        rounded(start, end, 0.22 * size, tone * np.exp(random.normal(0, 0.04)))
        if nails:
            rounded(end - 0.03 * size * way, end + 0.03 * size * way, 0.12 * size, tone * 0.8 + 0.2)
        for joint in (0.35, 0.7):
            place = start + joint * (end - start)
            across = np.array((-way[1], way[0])) * 0.08 * size
            draw.line([tuple(place - across), tuple(place + across)], fill=as_bytes(0.75 * tone), width=3)
    away = np.array((np.cos(turn), np.sin(turn))) * size
    rounded(palm - 0.2 * away, palm + 0.2 * away, 0.95 * size, tone)
    rounded(palm - 0.5 * away, palm - 2.5 * away, 0.6 * size, 0.97 * tone)
    soft = canvas.filter(ImageFilter.GaussianBlur(random.uniform(1, 5)))
    return np.asarray(reduce(soft) * (1 + 0.08 * noise(random, 90) + 0.03 * noise(random, 5)), dtype=np.float32)


def _brush(random: np.random.Generator, seed: int) -> np.ndarray:
    """A hair brush or a comb: rows of bristles on a cushion, with lost hairs around them."""
    canvas = enlarge(draw_background(random, seed))
    draw = ImageDraw.Draw(canvas)
    body, pin, hair = random.random(3), random.random(3), draw_hair_color(random)
    gap, turn, lean = random.uniform(16, 60), random.uniform(0, np.pi), random.normal(0, 1.0, 2)
    middle, axes = np.array(canvas.size) / 2, random.uniform((350, 180), (700, 420))
    along, across = np.array((np.cos(turn), np.sin(turn))), np.array((-np.sin(turn), np.cos(turn)))
    if random.random() < 0.8:
        round_ = np.linspace(0, 2 * np.pi, 60)
        outline = middle + np.outer(np.cos(round_) * axes[0], along) + np.outer(np.sin(round_) * axes[1], across)
        draw.polygon([tuple(point) for point in outline], fill=as_bytes(body))
    for first in np.arange(-axes[0] * 0.85, axes[0] * 0.85, gap):
        for second in np.arange(-axes[1] * 0.85, axes[1] * 0.85, gap):
            if (first / axes[0]) ** 2 + (second / axes[1]) ** 2 < 0.72:
                foot = middle + first * along + second * across
                tip = foot + lean * gap * 0.9
                draw.line([tuple(foot), tuple(tip)], fill=as_bytes(0.8 * pin), width=max(2, int(gap / 6)))
                size = gap / 6
                draw.ellipse((*(tip - size), *(tip + size)), fill=as_bytes(pin))
    for _ in range(random.integers(0, 120)):
        place, angle, bend = middle + random.normal(0, 200, 2), random.uniform(0, 2 * np.pi), random.normal(0, 0.3)
        line = [tuple(place)]
        for _ in range(12):
            place, angle = place + 30 * np.array((np.cos(angle), np.sin(angle))), angle + bend
            line.append(tuple(place))
        draw.line(line, fill=as_bytes(hair), width=int(random.integers(1, 4)))
    return reduce(canvas) * (1 + 0.1 * noise(random, 120)).astype(np.float32)


#: All of them; moles and forearms twice, since they look most like scalps.
BODIES: tuple[Callable[[np.random.Generator, int], np.ndarray], ...] = (
    _bare_skin,
    _forearm,
    _mole,
    _face,
    _hand,
    _brush,
    _forearm,
    _mole,
)

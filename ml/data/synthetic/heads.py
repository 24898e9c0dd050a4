"""Heads from too far away: hair, partings and bald patches as a phone sees them from 10 cm to an arm's length.

The frame shows between 7 and 40 cm, where the close-ups of `draw_scalp` end at 4. Crude, but varied: what is needed is
that the gate can tell *too far* from *close enough* and from *no scalp at all*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ml.data.synthetic.bodies import OVERSAMPLING, as_bytes, draw_hair_color, draw_skin_tone, enlarge, reduce
from ml.data.synthetic.camera import take
from ml.data.synthetic.scenes import draw_background
from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, cover, noise, step, stream

#: How the hair is worn; partings more often, as people who want their scalp seen show one.
STYLES = ("full", "parting", "parting", "crown", "horseshoe", "receding", "cropped", "shaved")
#: Half a head's width in pixels, where the frame shows 40 cm and where it shows 7.
_FARTHEST, _NEAREST = 140.0, 800.0
#: Up to this size the whole head is in the frame.
_MAX_WHOLE_HEAD = 230.0


@dataclass(frozen=True, slots=True)
class Head:
    """The position of a head in the frame: its middle and half axes in pixels, its turn in radians.

    `u` and `v` (height, width) are the coordinates over the head, 1 at its outline, v downwards to the neck.
    """

    middle: np.ndarray
    axes: np.ndarray
    turn: float
    u: np.ndarray
    v: np.ndarray

    @classmethod
    def place(cls, random: np.random.Generator, nearest: float) -> Head:
        """A head of any size up to `nearest` and, where it fills the frame, any part of it."""
        size = float(np.exp(random.uniform(np.log(_FARTHEST), np.log(nearest))))
        axes = size * np.array((1.0, random.uniform(1.0, 1.3)))
        turn = float(random.uniform(0, 2 * np.pi) if random.random() < 0.5 else random.normal(0, 0.2))
        middle = np.array(SIZE) / 2 + random.normal(0, 30, 2)
        if size > _MAX_WHOLE_HEAD:
            angle, away = random.uniform(0, 2 * np.pi), (size - _MAX_WHOLE_HEAD * 0.7) * np.sqrt(random.random())
            middle = middle + away * np.array((np.cos(angle), np.sin(angle)))
        x = np.arange(WIDTH, dtype=np.float32)[None, :] - np.float32(middle[0])
        y = np.arange(HEIGHT, dtype=np.float32)[:, None] - np.float32(middle[1])
        cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        u, v = (x * cos + y * sin) / np.float32(axes[0]), (y * cos - x * sin) / np.float32(axes[1])
        return cls(middle, axes, turn, u, v)

    def disc(self, u: float, v: float, wide: float, high: float, soft: float = 0.04) -> np.ndarray:
        """1 inside an ellipse around (u, v), 0 outside, (height, width)."""
        return 1 - step(np.hypot((self.u - u) / wide, (self.v - v) / high), 1 - soft, 1 + soft)


def draw_head(seed: int) -> Image.Image:
    """A head from too far away, RGB, 640×480 pixels; the same seed gives the same one."""
    random = stream(seed, "head")
    style = STYLES[random.integers(len(STYLES))]
    # Nothing says of skin that fills the frame how far away it is, so bald and cropped heads show their outline.
    head = Head.place(random, 1.3 * _MAX_WHOLE_HEAD if style in ("shaved", "cropped", "horseshoe") else _NEAREST)
    skin, hair = draw_skin_tone(random), draw_hair_color(random)
    behind = random.random() < 0.4
    scene = draw_background(random, seed)
    _lay_body(scene, head, skin, random, behind=behind)
    light = _light(head, random)
    grown = _hair_cover(head, style, random, behind=behind)
    _lay_scalp(scene, head, skin, light, random)
    stubble = 0.75 if style == "cropped" else 0.9
    cover(scene, grown * np.float32(stubble), [np.float32(0.75 * part) * light for part in hair])
    scene = _comb(scene, head, style, grown, skin, hair, light, random)
    if random.random() < 0.25:
        return take(scene, seed)
    pixels = (scene.transpose(1, 2, 0) * 255).astype(np.uint8)
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(random.uniform(0, 1.3)))


def _light(head: Head, random: np.random.Generator) -> np.ndarray:
    """Light on the head's curve, about 1 where it falls on straight."""
    from_u, from_v = random.uniform(-0.6, 0.6, 2)
    away = np.hypot(head.u - np.float32(from_u), head.v - np.float32(from_v))
    light = 1.1 - np.float32(random.uniform(0.1, 0.4)) * away**2
    return np.asarray(light.clip(0.3, 1.2) * np.float32(random.uniform(0.75, 1.1)), dtype=np.float32)


def _lay_body(scene: np.ndarray, head: Head, skin: np.ndarray, random: np.random.Generator, *, behind: bool) -> None:
    """Shoulders in clothes, a neck and two ears behind the head."""
    cloth = random.random(3) * random.uniform(0.2, 1)
    weave = 1 + 0.1 * noise(random, random.uniform(3, 30))
    if random.random() < 0.85:
        shoulders = head.disc(random.normal(0, 0.1), random.uniform(1.3, 1.9), random.uniform(1.6, 2.4), 1.0)
        cover(scene, shoulders, [part * weave for part in cloth])
    shade = np.float32(random.uniform(0.7, 1))
    if behind:
        cover(scene, head.disc(0, 0.95, random.uniform(0.5, 0.75), random.uniform(0.5, 0.8)), list(shade * skin))
    for side in (-1, 1):
        if random.random() < 0.8:
            ear = head.disc(
                side * random.uniform(0.95, 1.08), random.uniform(-0.1, 0.3), 0.13, random.uniform(0.15, 0.3)
            )
            cover(scene, ear, list(shade * skin * np.array((1, 0.92, 0.9))))


def _lay_scalp(scene: np.ndarray, head: Head, skin: np.ndarray, light: np.ndarray, random: np.random.Generator) -> None:
    """The head as if it were bald: blotches, freckles and gloss on a curve."""
    whole = head.disc(0, 0, 1, 1, 0.03)
    blotches = 1 + 0.035 * noise(random, 90) + 0.02 * noise(random, 14) + 0.015 * noise(random, 3)
    freckles = 0.25 * step(noise(random, random.uniform(4, 10)), 2.2, 2.8) * (random.random() < 0.4)
    cover(scene, whole, [part * light * (blotches - freckles) for part in skin])
    if random.random() < 0.5:
        (u, v), (wide, high) = random.uniform(-0.5, 0.5, 2), random.uniform(0.1, 0.4, 2)
        gloss = head.disc(u, v, wide, high, soft=0.9)
        cover(scene, whole * gloss * np.float32(random.uniform(0.1, 0.7)), (1.0, 0.98, 0.95))


def _hair_cover(head: Head, style: str, random: np.random.Generator, *, behind: bool) -> np.ndarray:
    """How thickly hair covers what the frame shows, 0 to 1 (height, width)."""
    frayed = 0.04 * noise(random, 60) + 0.02 * noise(random, 12)
    reach = np.hypot(head.u, head.v) + frayed
    grown = 1 - step(reach, 0.95, 1.08)
    edge = random.uniform(0.25, 0.75)
    below, above = head.v + frayed, -head.v + 0.5 * head.u**2 + frayed
    if behind:
        grown = grown * (1 - step(below, edge, edge + 0.12))
    elif random.random() < 0.5:
        grown = grown * (1 - step(above, edge, edge + 0.1))
    thin = np.float32(random.uniform(0, 0.25))
    middle, wide = random.normal(0, 0.12, 2), random.uniform(0.15, 0.6)
    bald = np.hypot(head.u - np.float32(middle[0]), head.v - np.float32(middle[1])) / np.float32(wide) + 2 * frayed
    if style == "crown":
        grown = grown * (thin + (1 - thin) * step(bald, 0.6, random.uniform(1.1, 1.8)))
    elif style == "horseshoe":
        open_ = np.hypot(head.u * 1.1, (head.v + 0.3) * 0.8) / np.float32(random.uniform(0.65, 0.95)) + 2 * frayed
        grown = grown * (0.3 * thin + (1 - 0.3 * thin) * step(open_, 0.9, 1.25))
    elif style == "receding":
        grown = grown * (1 - step(above + 0.6 * np.cos(head.u * 5), random.uniform(0.1, 0.6), 0.9))
    elif style == "shaved":
        grown = grown * np.float32(random.uniform(0.05, 0.35))
    elif style == "cropped":
        grown = grown * np.float32(random.uniform(0.4, 0.9)) * (0.7 + 0.3 * step(bald, 0.4, 1.4))
    return np.asarray(grown, dtype=np.float32)


def _part(
    scene: np.ndarray,
    head: Head,
    grown: np.ndarray,
    skin: np.ndarray,
    light: np.ndarray,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Open a parting in the hair; the cover that it leaves, and the angles (height, width) of hair combed off it."""
    along = random.normal(np.pi / 2, 0.35)
    across_u, across_v = np.float32(np.sin(along)), np.float32(-np.cos(along))
    from_u, from_v = random.normal(0, 0.2, 2).astype(np.float32)
    side = (head.u - from_u) * across_u + (head.v - from_v) * across_v + 0.05 * noise(random, 110)
    width = random.uniform(0.006, 0.05)
    bare = 1 - step(np.abs(side) * (1 + 0.3 * noise(random, 25)).clip(0.4), 0.5 * width, width)
    shade = light * np.float32(random.uniform(0.75, 1.05))
    cover(scene, bare * head.disc(0, 0, 0.9, 0.9), [part * shade for part in skin])
    way = np.sign(side)
    lean = np.float32(random.uniform(-0.3, 0.3))
    return grown * (1 - bare), np.arctan2(way * across_v + np.float32(0.5), way * across_u + lean)


def _whorl(head: Head, random: np.random.Generator) -> np.ndarray:
    """The angles (height, width) of hair that turns around the crown."""
    from_u, from_v = random.normal(0, 0.2, 2).astype(np.float32)
    twist = np.float32(random.uniform(-1, 1))
    u, v = head.u - from_u, head.v - from_v
    angles: np.ndarray = np.arctan2(v + twist * u, u - twist * v)
    return angles


def _comb(
    scene: np.ndarray,
    head: Head,
    style: str,
    grown: np.ndarray,
    skin: np.ndarray,
    hair: np.ndarray,
    light: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """The scene with its hairs, combed away from a parting or a whorl."""
    if style == "parting" or (style in ("full", "crown") and random.random() < 0.3):
        grown, angles = _part(scene, head, grown, skin, light, random)
    else:
        angles = _whorl(head, random)
    curl = random.uniform(0.1, 1.0) * (3 if random.random() < 0.15 else 1)
    angles = angles + head.turn + curl * noise(random, random.uniform(20, 160))
    tips = 1 + random.uniform(0.2, 0.8) * step(noise(random, 30) + noise(random, 90), 0.5, 2.5)
    size, short = float(head.axes[0]), style in ("cropped", "shaved")
    length = size * (random.uniform(0.02, 0.06) if short else random.uniform(0.15, 0.7))
    count = int(random.uniform(2500, 5000) if short else random.uniform(1200, 3200))
    point = random.uniform((0, 0), SIZE, (count, 2))
    column, row = point.astype(int).T
    kept = random.random(count) < grown[row, column]
    point, column, row = point[kept], column[kept], row[kept]
    bright = (light * tips)[row, column] * np.exp(random.normal(0, 0.35, len(point)))
    colors = (hair * bright[:, None] + 0.04 * (tips[row, column] - 1)[:, None]).clip(0, 1)
    reach = length * random.uniform(0.5, 1.3, len(point)) / 4
    widths = np.rint(OVERSAMPLING * max(1.0, size / 260) * random.uniform(0.3, 0.9, len(point))).clip(1)
    lines = [point]
    for _ in range(4):
        angle = angles[row, column]
        point = point + reach[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)
        column, row = point.astype(int).clip(0, (WIDTH - 1, HEIGHT - 1)).T
        lines.append(point)
    canvas = enlarge(scene)
    draw = ImageDraw.Draw(canvas)
    strokes = (OVERSAMPLING * np.stack(lines, axis=1)).reshape(len(point), -1)
    for stroke, color, width in zip(strokes.tolist(), colors, widths.astype(int).tolist(), strict=True):
        draw.line(stroke, fill=as_bytes(color), width=width)
    return reduce(canvas)

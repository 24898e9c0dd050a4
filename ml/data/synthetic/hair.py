"""Hair: follicles, the thick shafts that grow out of them, and how hair loss thins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, absorb, cover, shifted, spot, step, stream

#: What hair loss of each grade leaves: share of the hairs, and their width.
_KEPT = (1.0, 0.62, 0.38, 0.16)
_WIDTHS = (1.0, 0.84, 0.68, 0.52)


@dataclass(frozen=True, slots=True)
class Hair:
    """One shaft: `root` (x, y) in pixels, `angle` in radians, `bend` as half the curvature in 1/pixel,
    `wave` as amplitude, period and phase of a slight sway, `width` in pixels, `length` along the longer axis."""

    root: np.ndarray
    angle: float
    bend: float
    wave: tuple[float, float, float]
    width: float
    shade: float
    streak: tuple[float, float, float]
    texture: int
    length: float = 2000.0

    def points(self, spacing: int = 16) -> np.ndarray:
        """Points (n, 2) on the middle line from the root to where it ends or leaves the frame."""
        sideways, along, across, _ = self.middle(spacing=spacing)
        return np.stack((across, along) if sideways else (along, across), axis=1)

    def middle(self, *, buried: float = 0.0, spacing: int = 1) -> tuple[bool, np.ndarray, np.ndarray, np.ndarray]:
        """The middle line over the pixels of the axis it is most parallel to, from `buried` pixels before the root.

        Whether that axis is y, and for each pixel its place on the axis, the place across, and the slope.
        """
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        sideways = bool(abs(sin) > abs(cos))
        forward, aside = (sin, cos) if sideways else (cos, sin)
        start, offset = self.root[::-1] if sideways else self.root
        sign, limit = np.sign(forward), HEIGHT if sideways else WIDTH
        ends = sorted((start - sign * buried, start + sign * self.length))
        along = np.arange(max(0, np.ceil(ends[0])), min(limit, np.floor(ends[1]) + 1), dtype=np.float32)
        along = (along if sign > 0 else along[::-1])[::spacing]
        way = along - np.float32(start)
        height, period, phase = self.wave
        turn = way * np.float32(2 * np.pi / period)
        across = offset + way * (aside / forward) + self.bend * way**2 + height * (np.sin(turn + phase) - np.sin(phase))
        slope = aside / forward + 2 * self.bend * way + height * 2 * np.pi / period * np.cos(turn + phase)
        return sideways, along, across.astype(np.float32), slope.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Follicle:
    """Where hairs leave the skin; `emptied` and `stubs` say what hair loss did there."""

    root: np.ndarray
    radius: float
    angle: float
    hairs: tuple[Hair, ...]
    collar: float
    stubs: tuple[Hair, ...] = ()

    @property
    def inside(self) -> bool:
        """Whether the follicle itself can be seen."""
        return bool(-20 < self.root[0] < WIDTH + 20 and -20 < self.root[1] < HEIGHT + 20)


def grow(seed: int, person: int) -> list[Follicle]:
    """The follicles of a full head of hair, 8 to 40 hairs in sight, one to three out of one follicle.

    Roots lie on a jittered grid that reaches beyond the frame, since hairs from outside cross it as well.
    """
    traits, random = stream(person, "hair of a person"), stream(seed, "hair")
    usual_width, darkness = traits.uniform(7.0, 12.5), traits.uniform(0.05, 0.24)
    zoom = random.uniform(0.8, 1.2)
    space = random.uniform(150, 235) * zoom
    direction, drift = random.uniform(0, 2 * np.pi), random.normal(0, 0.2, 2)
    lean = random.normal(0, 0.0003)
    together = random.uniform(0.25, 0.6)
    follicles: list[Follicle] = []
    for y in np.arange(-space * 1.4, HEIGHT + space * 1.4, space * 0.87):
        for x in np.arange(-space * 1.4, WIDTH + space * 1.4, space):
            root = np.array((x, y)) + random.uniform(-0.42, 0.42, 2) * space
            angle = direction + float(drift @ (root / SIZE - 0.5)) + random.normal(0, 0.07)
            count = 1 + int(random.random() < together) + int(random.random() < together * 0.35)
            width = usual_width * zoom * random.uniform(0.8, 1.15)
            hairs = []
            for number in range(count):
                crossing = random.random() < 0.06
                turn = random.choice((-1, 1)) * random.uniform(0.5, 1.1) if crossing else random.normal(0, 0.1)
                aside = np.array((-np.sin(angle), np.cos(angle))) * (number - (count - 1) / 2) * width * 0.9
                hairs.append(
                    Hair(
                        root=root + aside + random.normal(0, 1.5, 2),
                        angle=angle + turn,
                        bend=float(np.clip(lean + random.normal(0, 0.00022), -0.0008, 0.0008)),
                        wave=(random.uniform(0, 3.5), random.uniform(220, 500), random.uniform(0, 6.3)),
                        width=float(np.clip(width * random.uniform(0.8, 1.12), 6, 16)),
                        shade=float(np.clip(darkness + random.normal(0, 0.03), 0.03, 0.3)),
                        streak=(random.uniform(-0.35, 0.35), random.uniform(0.13, 0.28), random.uniform(0.25, 0.85)),
                        texture=int(random.integers(2**31)),
                    )
                )
            follicles.append(
                Follicle(root, width * random.uniform(0.8, 1.15), angle, tuple(hairs), random.uniform(-1, 1))
            )
    return _limited(follicles)


def _seen(hair: Hair) -> bool:
    points = hair.points(spacing=24)
    return bool(((points > 0) & (points < SIZE)).all(axis=1).sum() > 2)


def _limited(follicles: list[Follicle], most: int = 40) -> list[Follicle]:
    """The follicles with hairs in sight and those hairs, but no more than `most`."""
    left, limited = most, []
    for follicle in follicles:
        hairs = tuple(hair for hair in follicle.hairs if _seen(hair))[:left]
        left -= len(hairs)
        if hairs:
            limited.append(replace(follicle, hairs=hairs))
    return limited


def lose(follicles: Sequence[Follicle], grade: int, seed: int) -> list[Follicle]:
    """What hair loss of a grade leaves: fewer and thinner hairs, short stubs, and empty follicles.

    A hair that a grade takes is gone in all higher ones as well, those that stay keep their way.
    """
    if grade == 0:
        return list(follicles)
    random = stream(seed, "hair loss")
    kept = _KEPT[grade] * random.uniform(0.85, 1.15)
    total = sum(len(follicle.hairs) for follicle in follicles)
    rank = iter(random.permutation(total) / max(total, 1))
    left: list[Follicle] = []
    for follicle in follicles:
        hairs, stubs = [], []
        for hair in follicle.hairs:
            length, stub = random.uniform(10, 48), random.random() < 0.4
            thin = replace(hair, width=max(2.5, hair.width * _WIDTHS[grade] * random.uniform(0.85, 1.15)))
            if next(rank) < kept:
                hairs.append(thin)
            elif stub:
                stubs.append(replace(thin, length=length))
        left.append(replace(follicle, hairs=tuple(hairs), stubs=tuple(stubs)))
    return left


def way_mask(follicles: Sequence[Follicle], widening: float, blur: float) -> np.ndarray:
    """Where hairs run, 0 to 1 (height, width): their lines, `widening` times as wide, blurred by `blur` pixels."""
    image = Image.new("L", (WIDTH // 2, HEIGHT // 2))
    draw = ImageDraw.Draw(image)
    for follicle in follicles:
        for hair in (*follicle.hairs, *follicle.stubs):
            line = hair.points() / 2
            if len(line) > 1:
                draw.line(line.ravel().tolist(), fill=255, width=max(1, round(hair.width * widening / 2)))
    image = image.filter(ImageFilter.GaussianBlur(blur / 2)).resize(SIZE, Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32) / 255


def draw_openings(skin: np.ndarray, follicles: Sequence[Follicle]) -> None:
    """Shade the skin where follicles open: a dark funnel, and a plug with a pale rim in those that are empty."""
    funnel, rim, plug = np.zeros((3, HEIGHT, WIDTH), dtype=np.float32)
    for follicle in follicles:
        if not follicle.inside:
            continue
        radius, long = follicle.radius, {"stretch": 1.35, "angle": follicle.angle}
        if follicle.hairs or follicle.stubs:
            wide = 0.85 if follicle.hairs else 0.5
            spot(funnel, follicle.root, radius * wide, 0.4 + 0.15 * max(0, -follicle.collar), **long)
        else:
            spot(funnel, follicle.root, radius * 0.36, 0.62, **long)
            spot(plug, follicle.root, radius * 0.75, 0.5, **long)
            spot(rim, follicle.root, radius * 0.42, 0.4, ring=2.2, **long)
    absorb(skin, plug, (0.05, 0.14, 0.36))
    absorb(skin, funnel, (0.72, 0.85, 0.9))
    cover(skin, rim, (1.0, 0.95, 0.86))


def draw_shadows(skin: np.ndarray, follicles: Sequence[Follicle], seed: int) -> None:
    """Darken the skin beside the shafts, as the ring of lamps around the lens does."""
    random = stream(seed, "shadows")
    right, down = random.integers(-5, 6, 2).tolist()
    mask = shifted(way_mask(follicles, 1.3, random.uniform(4, 9)), right, down)
    absorb(skin, mask, (random.uniform(0.18, 0.4),) * 3)


def draw_hairs(scene: np.ndarray, follicles: Sequence[Follicle], seed: int) -> None:
    """Draw all shafts, and whitish collars around some roots."""
    tint = np.array((1.0, 0.86, 0.74), dtype=np.float32) ** np.float32(stream(seed, "tint").uniform(0.3, 1.6))
    for follicle in follicles:
        for hair in (*follicle.hairs, *follicle.stubs):
            _draw_hair(scene, hair, tint)
    ring = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for follicle in follicles:
        if follicle.collar > 0 and follicle.inside and follicle.hairs:
            radius = follicle.radius * 0.5
            spot(ring, follicle.root, radius, follicle.collar * 0.3, ring=1.6, stretch=1.5, angle=follicle.angle)
    cover(scene, ring, (0.86, 0.82, 0.76))


def _draw_hair(scene: np.ndarray, hair: Hair, tint: np.ndarray) -> None:
    """Shade one shaft as a cylinder: dark, darkest at its borders, with a bright broken streak along it.

    Before the root it lies in the skin, which hides most of it; towards its end it rises out of focus.
    """
    sideways, along, across, slope = hair.middle(buried=22)
    if len(along) < 4:
        return
    canvas = scene.transpose(0, 2, 1) if sideways else scene
    lengthen = np.sqrt(1 + slope**2)
    reach = int((hair.width / 2 + 1.5) * lengthen.max()) + 1
    rows = np.round(across)[:, None].astype(np.int32) + np.arange(-reach, reach + 1, dtype=np.int32)
    off = (rows.astype(np.float32) - across[:, None]) / lengthen[:, None]
    start = hair.root[1] if sideways else hair.root[0]
    forward = np.sin(hair.angle) if sideways else np.cos(hair.angle)
    way = (along - np.float32(start)) * np.float32(np.sign(forward)) * lengthen
    random = np.random.Generator(np.random.Philox(hair.texture))
    thickness = 1 + 0.06 * _ripple(random, len(way), 60) + 0.04 * _ripple(random, len(way), 14)
    half = np.float32(hair.width / 2) * thickness * (0.35 + 0.65 * step(way, -24, 10))
    if hair.length < 1000:
        half = half * (1 - 0.5 * step(way, hair.length * 0.4, hair.length * 1.2))
    soft = 0.8 + way.clip(0, None) * np.float32(0.0022) + 2.5 * step(-way, 0, 18)
    emerging = 0.28 * step(way, -22, -8) + 0.72 * step(way, -5, 7)
    alpha = np.clip((half[:, None] - np.abs(off)) / soft[:, None] + 0.5, 0, 1) * emerging[:, None]
    profile = np.clip(off / half[:, None].clip(0.5), -1.3, 1.3)
    place, breadth, strength = (np.float32(value) for value in hair.streak)
    lit = step(_ripple(random, len(way), 90) + 0.4 * _ripple(random, len(way), 22), -1.5, 0.9) * step(way, -6, 24)
    streak = (strength * lit)[:, None] * np.exp(((profile - place) / breadth) ** 2 * np.float32(-0.5))
    round_ = (1 - profile**2).clip(0, 1)
    body = np.float32(hair.shade) * (0.55 + 0.75 * round_) + 0.16 * round_ * round_
    body = body * (1 + 0.16 * _ripple(random, len(way), 5) + 0.1 * _ripple(random, len(way), 40))[:, None]
    body += np.float32(0.025) * np.sin(profile * 9 + 2 * _ripple(random, len(way), 120)[:, None])
    inside = (rows >= 0) & (rows < canvas.shape[1]) & (alpha > 0)
    columns = np.broadcast_to(along.astype(np.int32)[:, None], rows.shape)[inside]
    rows, alpha, body, streak = rows[inside], alpha[inside], body[inside].clip(0.02), streak[inside]
    for channel, of_body, of_streak in zip(canvas, tint, (0.82, 0.84, 0.86), strict=True):
        under = channel[rows, columns]
        channel[rows, columns] = under + alpha * (body * of_body + streak * np.float32(of_streak) - under)


def _ripple(random: np.random.Generator, count: int, grain: float) -> np.ndarray:
    """Smooth noise along a line, of unit spread and features `grain` pixels long."""
    knots = random.standard_normal(int(count / grain) + 3)
    return np.interp(np.arange(count) / grain, np.arange(len(knots)), knots).astype(np.float32)

"""Shafts: how hairs look, from thick ones in focus to thin ones by the hundred and blurred ones before the lens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ml.data.synthetic.hair import Follicle, Hair
from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, absorb, cover, shifted, spot, step, stream
from ml.data.synthetic.view import View

#: Hairs narrower than this many pixels are drawn as lines, all in one pass.
_MIN_DETAILED_WIDTH = 4.5

#: Over how many pixels of the way a picture is drawn larger before it is reduced.
_OVERSAMPLING = 2


def draw_below(scene: np.ndarray, follicles: Sequence[Follicle], seed: int, view: View) -> None:
    """What the skin shows of follicles: the blue-gray shadow of each root, and a dark or brown opening."""
    random = stream(seed, "roots")
    depth, reach = random.uniform(0.0, 0.5), random.uniform(0.2, 0.5) * view.scale
    roots = [
        (np.stack((hair.root, hair.root - reach * _direction(hair.outward()))), hair.width * 1.5)
        for follicle in follicles
        for hair in follicle.hairs
    ]
    absorb(scene, _lines(roots, blur=0.035 * view.scale) * np.float32(depth), (0.75, 0.6, 0.5))
    opening, empty = np.zeros((2, HEIGHT, WIDTH), dtype=np.float32)
    for follicle in follicles:
        if not follicle.inside:
            continue
        if follicle.hairs:
            spot(opening, follicle.root, follicle.radius * 0.8, 0.55, stretch=1.3, angle=follicle.angle)
        else:
            spot(empty, follicle.root, max(1.2, follicle.radius * 0.45), 0.7, stretch=1.2, angle=follicle.angle)
    absorb(scene, opening * np.float32(random.uniform(0.1, 0.9)), (0.6, 0.62, 0.6))
    absorb(scene, empty * np.float32(random.uniform(0.5, 1.0)), (0.4, 0.58, 0.72))


def draw_shadows(scene: np.ndarray, follicles: Sequence[Follicle], seed: int) -> None:
    """Darken the skin beside the shafts, softer and farther off where they rise above it."""
    random = stream(seed, "shadows")
    hairs = [(hair.path(), hair.width * 1.2) for follicle in follicles for hair in follicle.hairs]
    usual = float(np.median([width for _, width in hairs])) if hairs else 4.0
    right, down = (random.uniform(-0.9, 0.9, 2) * usual).round().astype(int).tolist()
    mask = shifted(_lines(hairs, blur=usual * random.uniform(0.4, 0.9)), right, down)
    absorb(scene, mask * np.float32(random.uniform(0.05, 0.4)), (0.9, 1.0, 1.0))


def draw_hairs(scene: np.ndarray, follicles: Sequence[Follicle], seed: int, view: View) -> None:
    """Draw all shafts in focus, thin ones first, and the light down between them."""
    random = stream(seed, "shafts")
    warm = np.array((1.0, 0.86, 0.72), dtype=np.float32) ** np.float32(random.uniform(0.0, 1.3))
    cool = np.array((0.86, 0.97, 1.12), dtype=np.float32) ** np.float32(random.uniform(0.0, 1.3))
    gloss = random.uniform(0.1, 0.65)
    hairs = [hair for follicle in follicles for hair in (*follicle.stubs, *follicle.hairs)]
    _draw_thin(scene, [*_vellus(random, view), *(h for h in hairs if h.width < _MIN_DETAILED_WIDTH)], warm, gloss)
    for hair in hairs:
        if hair.width >= _MIN_DETAILED_WIDTH:
            _draw_detailed(scene, hair, warm, cool, gloss, view)


def draw_foreground(scene: np.ndarray, seed: int, view: View, *, fewer: float) -> None:
    """Wide, gray, blurred hairs between the lens and the plane of focus; `fewer` of them where hair is lost, 0 to 1."""
    random = stream(seed, "foreground")
    count = int(random.choice((0, 1, 2, 3, 5, 8), p=(0.4, 0.18, 0.15, 0.12, 0.1, 0.05)))
    way, chosen = random.uniform(0, np.pi), random.random(8)
    for number in range(count):
        place, turn = random.uniform((0, 0), SIZE), way + random.normal(0, 0.5)
        bend = random.normal(0, 0.0006)
        along = np.linspace(-900, 900, 90)
        angle = turn + bend * along
        points = place + np.cumsum(np.stack((np.cos(angle), np.sin(angle)), axis=1), axis=0) * (1800 / 90)
        points -= points[45] - place
        width = float(np.clip(0.075 * view.scale * random.uniform(0.9, 1.6), 3, 50))
        blur, alpha = width * random.uniform(0.2, 0.6), random.uniform(0.3, 0.85)
        gray = random.uniform(0.1, 0.42)
        if chosen[number] >= fewer:
            mask = _lines([(points, width)], blur=blur)
            cover(scene, mask * np.float32(alpha), (gray * 0.95, gray, gray * 1.06))


def shaft_mask(follicles: Sequence[Follicle], widening: float, blur: float) -> np.ndarray:
    """Where hairs run, 0 to 1 (height, width): their lines, `widening` times as wide, blurred by `blur` pixels."""
    hairs = ((hair.path(), hair.width * widening) for each in follicles for hair in (*each.hairs, *each.stubs))
    return _lines(hairs, blur=blur)


def _direction(angle: float) -> np.ndarray:
    return np.array((np.cos(angle), np.sin(angle)))


def _lines(lines: Iterable[tuple[np.ndarray, float]], blur: float) -> np.ndarray:
    """Lines (points, width) as a soft mask, drawn at half the size."""
    image = Image.new("L", (WIDTH // 2, HEIGHT // 2))
    draw = ImageDraw.Draw(image)
    for points, width in lines:
        draw.line((points / 2).ravel().tolist(), fill=255, width=max(1, round(width / 2)), joint="curve")
    image = image.filter(ImageFilter.GaussianBlur(max(blur / 2, 0.3))).resize(SIZE, Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32) / 255


def _vellus(random: np.random.Generator, view: View) -> list[Hair]:
    """Thin, short, light hairs that everybody has, few in sight."""
    count = int(random.poisson(0.9))
    return [
        Hair(
            root=random.uniform((0, 0), SIZE),
            angle=random.uniform(0, 2 * np.pi),
            kink=0.0,
            kink_length=1.0,
            bend=random.normal(0, 0.35) / view.scale,
            sway=(0.1, 2 * view.scale, random.uniform(0, 6.3)),
            width=float(np.clip(0.013 * view.scale * random.uniform(0.6, 1.5), 1.0, _MIN_DETAILED_WIDTH - 0.1)),
            shade=random.uniform(0.15, 0.55),
            texture=0,
            length=random.uniform(0.6, 3.0) * view.scale,
        )
        for _ in range(count)
    ]


def _draw_thin(scene: np.ndarray, hairs: Sequence[Hair], warm: np.ndarray, gloss: float) -> None:
    """All thin hairs in one pass: dark lines with a lighter line on top of each."""
    if not hairs:
        return
    size = (WIDTH * _OVERSAMPLING, HEIGHT * _OVERSAMPLING)
    mask, paint = Image.new("L", size), Image.new("RGB", size)
    on_mask, on_paint = ImageDraw.Draw(mask), ImageDraw.Draw(paint)
    for hair in hairs:
        points = hair.path(spacing=max(4.0, hair.width * 2)) * _OVERSAMPLING
        width = max(1, round(hair.width * _OVERSAMPLING))
        body = np.clip((hair.shade + 0.06 + 0.2 * gloss) * warm, 0, 1) * 255
        lit = np.clip(hair.shade + gloss * (0.35 + 0.3 * (hair.texture % 7) / 6), 0, 1) * 255
        line = points.ravel().tolist()
        on_mask.line(line, fill=255 if hair.texture else 120, width=width, joint="curve")
        on_paint.line(line, fill=tuple(int(value) for value in body), width=width + 1, joint="curve")
        if hair.width > 1.6:
            aside = np.array((0.0, hair.width * 0.3))
            inner = max(1, round(width * 0.35))
            on_paint.line((points - aside).ravel().tolist(), fill=(int(lit), int(lit), int(lit)), width=inner)
    alpha = np.asarray(mask.reduce(_OVERSAMPLING), dtype=np.float32) / 255
    color = np.asarray(paint.reduce(_OVERSAMPLING), dtype=np.float32).transpose(2, 0, 1) / 255
    cover(scene, alpha, list(color / np.maximum(alpha, 0.25)))


def _draw_detailed(scene: np.ndarray, hair: Hair, warm: np.ndarray, cool: np.ndarray, gloss: float, view: View) -> None:
    """Shade one shaft as a cylinder: red-brown where light passes its borders, with a highlight of dashes and beads.

    At the root it comes out of the skin; toward its end it rises out of focus.
    """
    random = np.random.Generator(np.random.Philox(hair.texture))
    path = hair.path(spacing=0.8)
    near = np.flatnonzero(((path > -40) & (path < np.array(SIZE) + 40)).all(axis=1))
    if not len(near):
        return
    path = path[: near[-1] + 1]
    way = np.arange(len(path), dtype=np.float32) * np.float32(0.8)
    tangent = np.gradient(path, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    thickness = (
        1 + 0.05 * _ripple(random, len(way), 6 * hair.width) + 0.03 * _ripple(random, len(way), 1.5 * hair.width)
    )
    half = (
        np.float32(hair.width / 2)
        * thickness
        * (0.7 + 0.3 * step(way, 0, hair.width * 2))
        * (1 - 0.5 * step(way, hair.length * 0.7, hair.length))
    )
    soft = 0.9 + way * np.float32(random.uniform(0, 0.004)) + np.float32(0.4) * step(-way, -hair.width, 0)
    reach = hair.width / 2 * 1.2 + 2
    off = np.arange(-reach, reach + 0.7, 0.7, dtype=np.float32)
    off = off[np.argsort(-np.abs(off))][:, None]
    alpha = np.clip((half - np.abs(off)) / soft + 0.5, 0, 1) * step(way, -2, hair.width * 0.5)
    profile = np.clip(off / np.maximum(half, 0.5), -1.2, 1.2)
    round_ = (1 - profile**2).clip(0, 1)
    body = np.float32(hair.shade) * (0.6 + 0.5 * round_) + np.float32(0.09) * round_
    body = body * (
        1 + 0.2 * _ripple(random, len(way), 1.2 * hair.width) + 0.12 * _ripple(random, len(way), 5 * hair.width)
    )
    place, breadth = np.float32(random.uniform(-0.45, 0.45)), np.float32(random.uniform(0.16, 0.4))
    dashes = step(
        _ripple(random, len(way), 0.9 * hair.width) + 0.8 * _ripple(random, len(way), 9 * hair.width), 0.0, 1.3
    )
    streak = dashes * np.exp(((profile - place) / breadth) ** 2 * np.float32(-0.5))
    fleck = max(2.2, 0.16 * hair.width)
    cuticle = random.standard_normal((9, max(4, int(way[-1] / fleck) + 3)), dtype=np.float32)
    rows = np.clip(((profile + 1.2) / 2.4 * 8).round().astype(int), 0, 8)
    flecks = step(cuticle[rows, np.minimum((way / fleck).astype(int), cuticle.shape[1] - 1)[None, :]], 0.7, 2.0)
    # The wider a shaft is seen, the more its scales break the highlight up.
    broken = np.float32(np.clip((hair.width - 6) / 16, 0, 0.85))
    streak = streak * (1 - broken + broken * (0.25 + 1.6 * flecks))
    shine = gloss * (0.8 * streak + 0.75 * flecks * round_) + 0.28 * gloss * round_ * (0.6 + (1 - broken) * dashes)
    border = step(np.abs(profile), 0.55, 1.0) * np.float32(random.uniform(0, 0.16))
    x = np.round(path[:, 0] - tangent[:, 1] * off).astype(np.int32)
    y = np.round(path[:, 1] + tangent[:, 0] * off).astype(np.int32)
    seen = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < HEIGHT) & (alpha > 0.02)
    if not seen.any():
        return
    x, y = x[seen], y[seen]
    left, top = int(x.min()), int(y.min())
    box = (slice(top, int(y.max()) + 1), slice(left, int(x.max()) + 1))
    # Of several samples on a pixel the last one stays: the one nearest to the middle of the shaft.
    place_in_box = (y - top, x - left)
    opaque = np.zeros((box[0].stop - top, box[1].stop - left), dtype=np.float32)
    opaque[place_in_box] = alpha[seen]
    value = np.zeros_like(opaque)
    for channel, of_body, of_shine, red in zip(scene, warm, cool, (1.0, 0.55, 0.25), strict=True):
        value[place_in_box] = (body * of_body + shine * of_shine + border * np.float32(red))[seen].clip(0.01, 1.1)
        channel[box] += opaque * (value - channel[box])


def _ripple(random: np.random.Generator, count: int, grain: float) -> np.ndarray:
    """Smooth noise along a line, of unit spread and features `grain` pixels long."""
    knots = random.standard_normal(int(count * 0.8 / grain) + 3)
    ripple: np.ndarray = np.interp(np.arange(count) * 0.8 / grain, np.arange(len(knots)), knots)
    return ripple.astype(np.float32)

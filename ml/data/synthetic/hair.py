"""Hair: follicles, the shafts that grow out of them, and how hair loss thins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ml.data.synthetic.texture import HEIGHT, SIZE, WIDTH, stream
from ml.data.synthetic.view import View

#: What hair loss of each grade leaves: share of the hairs, and their width.
_KEPT_SHARES = (1.0, 0.62, 0.36, 0.13)
_RELATIVE_WIDTHS = (1.0, 0.82, 0.64, 0.48)

#: Width of a scalp hair in millimeters: .05 to .1 (Otberg et al., J. Invest. Dermatol. 122(1), 2004).
_WIDTH_MM = (0.058, 0.092)
#: Millimeters between follicular units, about one per square millimeter.
_SPACING_MM = (1.15, 2.1)

_MOST_HAIRS = 700


@dataclass(frozen=True, slots=True)
class Hair:
    """One shaft: `root` (x, y), `width` and `length` in pixels, `angle` in radians at its end of the kink.

    The direction turns by `kink` over the first `kink_length` pixels and by `bend` radians per pixel all along; `sway`
    is the amplitude in radians, the period in pixels and the phase of a wave. `shade` is its brightness, 0 to 1.
    """

    root: np.ndarray
    angle: float
    kink: float
    kink_length: float
    bend: float
    sway: tuple[float, float, float]
    width: float
    shade: float
    texture: int
    length: float

    def path(self, spacing: float = 6.0) -> np.ndarray:
        """Points (n, 2) on the middle line, `spacing` pixels apart, from the root to where it ends."""
        way = np.arange(0, max(self.length, 2 * spacing), spacing, dtype=np.float32)
        size, period, phase = self.sway
        turn = self.angle + self.kink * np.exp(-way / self.kink_length) + self.bend * way
        turn = turn + size * np.sin(way * np.float32(2 * np.pi / period) + phase)
        steps = np.stack((np.cos(turn), np.sin(turn)), axis=1) * spacing
        points: np.ndarray = self.root + np.concatenate((np.zeros((1, 2)), np.cumsum(steps[:-1], axis=0)))
        return points

    def outward(self) -> float:
        """The direction in radians in which it leaves the skin."""
        return self.angle + self.kink


@dataclass(frozen=True, slots=True)
class Follicle:
    """Where hairs leave the skin; `stubs` are hairs that hair loss has broken or made short."""

    root: np.ndarray
    radius: float
    angle: float
    hairs: tuple[Hair, ...]
    stubs: tuple[Hair, ...] = ()

    @property
    def inside(self) -> bool:
        """Whether the follicle itself is in sight."""
        return bool(-20 < self.root[0] < WIDTH + 20 and -20 < self.root[1] < HEIGHT + 20)


def grow(seed: int, person: int, view: View) -> list[Follicle]:
    """The follicles of a full head of hair, one to four hairs out of each.

    Roots are placed on a jittered grid that reaches beyond the frame, since hairs from outside cross it as well.
    """
    traits, random = stream(person, "hair of a person"), stream(seed, "hair")
    usual_width = traits.uniform(*_WIDTH_MM)
    darkness, grayness = float(np.clip(0.02 + traits.gamma(2.0, 0.04), 0.02, 0.4)), float(traits.beta(0.25, 2.2))
    curl = float(np.exp(traits.normal(-1.0, 0.7)))
    space = random.uniform(*_SPACING_MM) * view.scale
    margin = max(space * 1.2, 120)
    direction, drift = random.uniform(0, 2 * np.pi), random.normal(0, 0.25, 2)
    spread, together = random.gamma(2.0, 0.06), random.uniform(0.35, 0.8)
    length = random.uniform(3.5, 12.0) * max(view.scale, 40)
    follicles: list[Follicle] = []
    left = _MOST_HAIRS
    for y in np.arange(-margin, HEIGHT + margin, space * 0.87):
        for x in np.arange(-margin, WIDTH + margin, space):
            root = np.array((x, y)) + random.uniform(-0.45, 0.45, 2) * space
            angle = direction + float(drift @ (root / SIZE - 0.5)) + random.normal(0, spread)
            if view.parting is not None:
                angle = view.parting[1] + np.sign(view.beside(root) or 1) * np.pi / 2 + random.normal(0, 0.25)
            count = 1 + int(random.random() < together) + int(random.random() < together * 0.4)
            width = usual_width * view.scale * random.uniform(0.82, 1.15)
            hairs = tuple(
                _hair(
                    random, root, angle, number - (count - 1) / 2, width, view.scale, curl, darkness, grayness, length
                )
                for number in range(count)
            )
            hairs = tuple(hair for hair in hairs if _is_visible(hair))[:left]
            left -= len(hairs)
            if hairs:
                follicles.append(Follicle(root, width * random.uniform(0.8, 1.15), angle, hairs))
    return follicles


def _hair(
    random: np.random.Generator,
    root: np.ndarray,
    angle: float,
    place: float,
    width: float,
    scale: float,
    curl: float,
    darkness: float,
    grayness: float,
    length: float,
) -> Hair:
    """One hair of a unit, `place` widths beside its middle; hairs of a unit stay together or part in a V."""
    aside = np.array((-np.sin(angle), np.cos(angle))) * place * width * random.uniform(0.7, 1.0)
    crossing = random.choice((-1, 1)) * random.uniform(0.5, 1.4) if random.random() < 0.06 else 0.0
    apart = place * random.uniform(0.0, 0.5)
    gray = random.random() < grayness
    return Hair(
        root=root + aside + random.normal(0, 0.012, 2) * scale,
        angle=angle + apart + crossing + random.normal(0, 0.07),
        kink=float(random.normal(0, 0.4)) if random.random() < 0.5 else 0.0,
        kink_length=random.uniform(0.12, 0.5) * scale,
        bend=float(random.normal(0, 0.07) * curl / scale),
        sway=(random.uniform(0, 0.12) * curl, random.uniform(1.5, 4.0) * scale, random.uniform(0, 6.3)),
        width=float(np.clip(width * random.uniform(0.8, 1.12), 1.2, 46)),
        shade=float(random.uniform(0.55, 0.85) if gray else np.clip(darkness + random.normal(0, 0.03), 0.015, 0.5)),
        texture=int(random.integers(2**31)),
        length=length * random.uniform(0.75, 1.2),
    )


def _is_visible(hair: Hair) -> bool:
    points = hair.path(spacing=24)
    return bool(((points > 0) & (points < SIZE)).all(axis=1).sum() > 1)


def lose(follicles: Sequence[Follicle], grade: int, seed: int) -> list[Follicle]:
    """What hair loss of a grade leaves: fewer and thinner hairs, short stubs, and empty follicles.

    A hair that a grade takes is gone in all higher ones as well, those that stay keep their way.
    """
    if grade == 0:
        return list(follicles)
    random = stream(seed, "hair loss")
    kept = _KEPT_SHARES[grade] * random.uniform(0.85, 1.15)
    total = sum(len(follicle.hairs) for follicle in follicles)
    rank = iter((random.permutation(total) + 0.5) / max(total, 1))
    left: list[Follicle] = []
    for follicle in follicles:
        hairs, stubs = [], []
        for hair in follicle.hairs:
            length, stub, thinner = random.uniform(1.0, 5.0), random.random() < 0.4, random.uniform(0.8, 1.2)
            thin = replace(hair, width=max(1.0, hair.width * _RELATIVE_WIDTHS[grade] * thinner))
            if next(rank) < kept:
                hairs.append(thin)
            elif stub:
                stubs.append(replace(thin, length=length * hair.width, shade=min(0.6, thin.shade + 0.1)))
        left.append(replace(follicle, hairs=tuple(hairs), stubs=tuple(stubs)))
    return left

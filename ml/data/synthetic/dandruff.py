"""Dandruff: thick white plates with cracks and bright frayed edges, at the hairs' bases, on the skin and on shafts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.data.synthetic.hair import Follicle
from ml.data.synthetic.texture import (
    HEIGHT,
    SIZE,
    WIDTH,
    absorb,
    cells,
    cover,
    noise,
    relief,
    shifted,
    spot,
    step,
    stream,
)
from ml.data.synthetic.view import View

#: Share of the field that plates cover, by grade: boxes around the flakes of the 164 photographs of "scalp-data" cover
#: .005 to .3 (CC BY 4.0, universe.roboflow.com/nisipeanu/scalp-data-3feq3-ahmd3).
_COVERED_SHARES = ((0.006, 0.014), (0.028, 0.06), (0.1, 0.22))

#: Enough for grade 3 where plates are smallest: 0.22 of the field in plates of 6 pixels' radius is 200 of them.
_MOST_PLATES = 240

#: The area of a plate of radius 1 as its mask is cut, and how much longer than wide it is on average.
_USUAL_STRETCH = 1.7
_PLATE_AREA = float(np.pi * 1.4 * _USUAL_STRETCH)


def lay_plates(
    scene: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int, view: View, *, above: bool
) -> None:
    """Put plates over the skin or, `above`, a fifth as many over the hairs."""
    if grade == 0:
        return
    random = stream(seed, "clumps" if above else "plates")
    low, high = _COVERED_SHARES[grade - 1]
    wanted = float(np.exp(random.uniform(np.log(low), np.log(high)))) * WIDTH * HEIGHT * (0.2 if above else 0.8)
    usual = float(np.clip(random.uniform(0.08, 0.24) * view.scale, 6, 60)) * (0.6 if above else 1.0)
    usual = min(usual, (wanted / (2 * _PLATE_AREA)) ** 0.5)
    thick = random.uniform(0.65, 1.0)
    roots = np.array([follicle.root for follicle in follicles if follicle.inside]).reshape(-1, 2)
    blobs = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    covered = 0.0
    for _ in range(_MOST_PLATES):
        place, chosen = random.uniform((10, 10), (WIDTH - 10, HEIGHT - 10)), random.random()
        radius, stretch = usual * float(np.exp(random.normal(0, 0.45))), random.uniform(1.0, 2.4)
        turn, pick, aside = random.uniform(0, np.pi), random.random(), random.normal(0, 0.08, 2) * view.scale
        if len(roots) and chosen < 0.5:
            place = roots[int(pick * len(roots))] + aside
        if covered >= wanted:
            break
        spot(blobs, place, radius, 1.0, stretch=stretch, angle=turn)
        covered += _PLATE_AREA * radius**2 * stretch / _USUAL_STRETCH
    fine = float(np.clip(usual * 0.16, 2.2, 6))
    ragged = 0.5 * noise(random, fine) + noise(random, fine * 3.5) + noise(random, fine * 9)
    rough = noise(random, max(2.5, fine * 0.8)) + 0.8 * noise(random, fine * 4)
    flakes = cells(random, float(np.clip(usual * 1.3, 9, 90)), warp=0.35)
    fill = step(blobs * (1 + 0.2 * ragged + 0.5 * (flakes.value - 0.5)), 0.46, 0.58)
    crack = (1 - step(flakes.edge + 0.04 * ragged, 0.0, 0.1)) * fill * np.float32(random.uniform(0, 1))
    inner = step(blobs * (1 + 0.2 * ragged), 0.5, 1.1)
    mask = fill * np.float32(thick) * (0.62 + 0.25 * inner + 0.2 * flakes.value + 0.1 * rough) * (1 - 0.6 * crack)
    drop = max(1, round(usual * 0.12))
    absorb(scene, shifted(fill, drop, drop) * (1 - fill) * np.float32(thick), (0.22, 0.24, 0.22))
    edge = relief(fill, max(1, round(usual * 0.08))) * np.float32(0.35 * thick)
    body = 0.82 + 0.06 * flakes.value + 0.03 * rough + edge - 0.12 * crack
    warm = random.uniform(0.9, 1.02)
    cover(scene, mask.clip(0, 0.97), [body * np.float32(each) for each in (1.0, 1.0, warm)])


def scatter_crumbs(scene: np.ndarray, grade: int, seed: int, view: View) -> None:
    """Small opaque crumbs everywhere: as many on a healthy scalp with dust on it as come with mild dandruff."""
    random = stream(seed, "crumbs")
    count = int(random.poisson((1.0, 4.0, 9.0, 16.0)[grade]))
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for _ in range(count):
        radius = float(np.clip(0.022 * view.scale * np.exp(random.normal(0, 0.4)), 1.0, 9))
        spot(
            mask,
            random.uniform((0, 0), SIZE),
            radius,
            1.1,
            stretch=random.uniform(1, 2.2),
            angle=random.uniform(0, 3.1),
        )
    ragged = 1 + 0.35 * noise(random, 3)
    cover(scene, step(mask * ragged, 0.4, 0.8) * np.float32(0.85), (0.92, 0.92, 0.9))

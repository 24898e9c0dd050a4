"""Films: fine scaling, thin translucent frayed scales on shafts, around their bases and in streaks over the skin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ml.data.synthetic.hair import Follicle
from ml.data.synthetic.shafts import shaft_mask
from ml.data.synthetic.texture import HEIGHT, WIDTH, cover, noise, relief, spot, step, streaks, stream
from ml.data.synthetic.view import View

WHITE = (0.93, 0.94, 0.93)


def lay_films(skin: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int, view: View) -> None:
    """Films on the skin, around the follicles of the full head of hair, so that they stay whatever hair loss takes."""
    if grade == 0:
        return
    random = stream(seed, "films")
    strength, lined = random.uniform(0.85, 1.15), random.uniform(0.3, 0.9)
    fine = float(np.clip(0.025 * view.scale, 2.2, 7))
    way = random.uniform(0, np.pi)
    ragged = (
        0.6 * lined * streaks(random, fine * 1.6, way, 4.0) + 0.5 * noise(random, fine) + 0.6 * noise(random, fine * 3)
    )
    ragged = ragged + 0.6 * noise(random, fine * 9) + 0.5 * noise(random, fine * 25)
    near = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    for follicle in follicles:
        if follicle.inside:
            size = max(2.0, follicle.radius * 1.7)
            spot(near, follicle.root, size, 1.0, stretch=1.5, angle=follicle.angle)
    near = near + np.float32((0.0, 0.25, 0.6)[grade - 1])
    film = step(ragged + 1.4 * near, (1.6, 1.2, 0.75)[grade - 1], (3.6, 3.3, 2.9)[grade - 1])
    film = film * np.float32(strength * (0.5, 0.62, 0.75)[grade - 1])
    cover(skin, film.clip(0, 0.8), [np.float32(0.5) * relief(film) + of_white for of_white in WHITE])


def coat_shafts(scene: np.ndarray, follicles: Sequence[Follicle], grade: int, seed: int, view: View) -> None:
    """Scraps and dust of films on the hairs."""
    if grade == 0:
        return
    random = stream(seed, "coats")
    fine = float(np.clip(0.03 * view.scale, 2.5, 8))
    beside = shaft_mask(follicles, 1.3, 0.02 * view.scale)
    scraps = noise(random, fine) + 0.5 * noise(random, fine * 2.5) + 0.6 * noise(random, fine * 16)
    level = (2.1, 1.7, 1.25)[grade - 1]
    mask = beside * step(scraps, level, level + 0.8) * np.float32(random.uniform(0.55, 0.85))
    cover(scene, mask, WHITE)

"""A scalp at wanted grades: the scene, drawn layer by layer, and the photo of it."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from ml.data.synthetic.bald import lay_relief
from ml.data.synthetic.camera import take
from ml.data.synthetic.dandruff import lay_plates, scatter_crumbs
from ml.data.synthetic.films import coat_shafts, lay_films
from ml.data.synthetic.glints import strew_glints
from ml.data.synthetic.hair import grow, lose
from ml.data.synthetic.redness import inflame, redden
from ml.data.synthetic.sebum import gloss, wax
from ml.data.synthetic.shafts import draw_below, draw_foreground, draw_hairs, draw_shadows
from ml.data.synthetic.skin import lay_skin
from ml.data.synthetic.view import choose_view
from ml.labels import GRADES, SYMPTOMS


def draw_scalp(seed: int, grades: Sequence[int], *, person: int | None = None) -> Image.Image:
    """A synthetic close-up of a scalp, RGB, 640×480 pixels, showing six grades 0 to 3 in the order of `SYMPTOMS`.

    The same arguments give the same picture. The grades change nothing but their own sign: with one seed, hairs,
    skin, glints, view and camera stay. Pictures of one `person` (a seed as well) share hair and skin; without it each
    picture shows another person. Raises ValueError for anything that is not six grades.
    """
    if len(grades) != len(SYMPTOMS) or any(grade not in range(len(GRADES)) for grade in grades):
        raise ValueError(f"six grades of 0 to {len(GRADES) - 1} are wanted, not {list(grades)!r}")
    scaling, sebum, redness, pustules, dandruff, loss = map(int, grades)
    who = seed if person is None else person
    view = choose_view(seed)
    full = grow(seed, who, view)
    left = lose(full, loss, seed)
    scene = lay_skin(seed, who, view)
    redden(scene, full, redness, seed, view)
    inflame(scene, full, pustules, seed, view)
    draw_below(scene, left, seed, view)
    lay_relief(scene, loss, seed, view)
    wax(scene, full, sebum, seed, view)
    lay_films(scene, full, scaling, seed, view)
    lay_plates(scene, full, dandruff, seed, view, above=False)
    strew_glints(scene, seed, view)
    draw_shadows(scene, left, seed)
    draw_hairs(scene, left, seed, view)
    coat_shafts(scene, left, scaling, seed, view)
    lay_plates(scene, full, dandruff, seed, view, above=True)
    scatter_crumbs(scene, dandruff, seed, view)
    gloss(scene, full, sebum, seed, view)
    draw_foreground(scene, seed, view, fewer=(0.0, 0.2, 0.45, 0.8)[loss])
    return take(scene, seed)

"""A scalp at wanted grades: the scene, drawn layer by layer, and the photo of it."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from ml.data.synthetic.camera import take
from ml.data.synthetic.hair import draw_hairs, draw_openings, draw_shadows, grow, lose
from ml.data.synthetic.redness import inflame, redden
from ml.data.synthetic.scales import Dandruff, lay_films, strew_specks
from ml.data.synthetic.sebum import wet, yellow
from ml.data.synthetic.skin import lay_skin
from ml.labels import GRADES, SYMPTOMS


def draw_scalp(seed: int, grades: Sequence[int], *, person: int | None = None) -> Image.Image:
    """A synthetic scalp-scope close-up, RGB, 640×480 pixels, showing six grades 0 to 3 in the order of `SYMPTOMS`.

    The same arguments give the same picture. The grades change nothing but their own sign: with one seed, hairs,
    skin and camera stay. Pictures of one `person` (a seed as well) share hair and skin; without it everybody is
    somebody else. Raises ValueError for anything that is not six grades.
    """
    if len(grades) != len(SYMPTOMS) or any(grade not in range(len(GRADES)) for grade in grades):
        raise ValueError(f"six grades of 0 to {len(GRADES) - 1} are wanted, not {list(grades)!r}")
    scaling, sebum, redness, pustules, dandruff, loss = map(int, grades)
    who = seed if person is None else person
    full = grow(seed, who)
    left = lose(full, loss, seed)
    skin = lay_skin(seed, who)
    scene = skin.scene
    redden(scene, full, redness, seed)
    yellow(scene, full, sebum, seed)
    inflame(scene, full, pustules, seed)
    draw_openings(scene, left)
    lay_films(scene, full, scaling, seed)
    plates = Dandruff.form(dandruff, seed)
    if plates:
        plates.lay(scene, above=False)
    draw_shadows(scene, left, seed)
    draw_hairs(scene, left, seed)
    strew_specks(scene, full, scaling, seed)
    if plates:
        plates.lay(scene, above=True)
    wet(scene, skin.shading, full, sebum, seed)
    return take(scene, seed)

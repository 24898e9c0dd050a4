"""Pictures that show no scalp, for the gate to reject: scenes without people, and skin elsewhere on the body."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from ml.data.synthetic.bodies import BODIES
from ml.data.synthetic.camera import take
from ml.data.synthetic.scenes import SCENES
from ml.data.synthetic.texture import stream

#: What can be drawn, in the order in which seeds count through it.
KINDS: tuple[Callable[[np.random.Generator, int], np.ndarray], ...] = (*SCENES, *BODIES)


def draw_non_scalp(seed: int) -> Image.Image:
    """A picture without a scalp, RGB, 640×480 pixels; the same seed gives the same one.

    The seed counts through the `KINDS`. Half of them go through the camera of a scalp scope, casts and all, so that
    neither color nor noise gives them away.
    """
    random = stream(seed, "no scalp")
    scene = KINDS[seed % len(KINDS)](random, seed).astype(np.float32)
    if random.random() < 0.5:
        return take(scene, seed)
    pixels = (scene.transpose(1, 2, 0).clip(0, 1) * 255).astype(np.uint8)
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(random.uniform(0, 1.5)))

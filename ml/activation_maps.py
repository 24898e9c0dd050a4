"""Explanations: where on a photo a grader sees what it says, as a class activation map.

After Zhou et al., CVPR 2016 (arXiv 1512.04150). Every network of the registry ends in a global average pool and a
linear layer, and the two may change places: each place of the last feature map then has logits of its own, whose mean
over all places, plus the bias, is exactly the logit of the photo. The map is those logits. It costs one product of
matrices.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps

from ml.outputs import Output
from ml.preprocessing import Aspect

#: From least to most: colours of cividis, which look alike to all kinds of colour vision and print well in grey
#: (Nuñez, Anderton and Renslow, PLOS ONE 13(7), 2018). As matplotlib has them at 0, 1/4, 1/2, 3/4 and 1.
_RAMP = np.array([(0, 34, 78), (67, 78, 108), (125, 124, 120), (188, 174, 108), (254, 232, 56)])
_OPACITY = 0.55


def class_maps(features: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The map of each output, `[n, outputs, h, w]`, of feature maps `[n, width, h, w]` and the head's weight.

    The mean of a map plus the output's bias is the output.
    """
    return torch.einsum("nchw,oc->nohw", features, weight)


def map_of_grade(maps: np.ndarray, grade: int, output: Output) -> np.ndarray:
    """The map `[h, w]` that speaks for this grade, of the maps `[outputs, h, w]` of a photo.

    Of a softmax it is the grade's own. Of CORN it is the sum over the thresholds that a grade passes, less the one at
    which it stops: those are the outputs that its probability is a product of, with their signs.
    """
    if output == "softmax":
        speaks: np.ndarray = maps[grade]
    else:
        speaks = maps[:grade].sum(axis=0) - maps[grade : grade + 1].sum(axis=0)
    return speaks


def overlay(photo: Image.Image, seen: np.ndarray, aspect: Aspect) -> Image.Image:
    """The photo in grey under the colours of a map `[h, w]`, from the map's least, dark blue, to its most, yellow.

    `aspect` is that of the model's preprocessing: after `crop` the middle square alone has colours.
    """
    grey = ImageOps.grayscale(photo).convert("RGB")
    size = photo.size if aspect == "stretch" else (min(photo.size),) * 2
    smooth = _smooth(seen, size)
    stops = np.linspace(0, 1, len(_RAMP))
    colours = np.stack([np.interp(smooth, stops, channel) for channel in _RAMP.T], axis=-1)
    corner = ((photo.width - size[0]) // 2, (photo.height - size[1]) // 2)
    under = grey.crop((*corner, corner[0] + size[0], corner[1] + size[1]))
    grey.paste(Image.blend(under, Image.fromarray(colours.round().astype(np.uint8)), _OPACITY), corner)
    return grey


def map_on_photo(seen: np.ndarray, aspect: Aspect, size: tuple[int, int], side: int) -> np.ndarray:
    """A map `[h, w]` as uint8 `[side, side]` over the whole of a photo, from 0 at its least to 255 at its most.

    `size` is the width and height of the photo and `aspect` that of the model's preprocessing: after `crop` all but the
    middle square is 0.
    """
    grid = np.zeros((side, side), np.uint8)
    shares = [1.0 if aspect == "stretch" else min(size) / length for length in size]
    width, height = (max(1, round(side * share)) for share in shares)
    left, top = (side - width) // 2, (side - height) // 2
    grid[top : top + height, left : left + width] = (255 * _smooth(seen, (width, height))).round()
    return grid


def _smooth(seen: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map at this width and height, from 0 at its least to 1 at its most; 0 throughout where all is the same."""
    span = float(seen.max() - seen.min())
    values = (seen - seen.min()) / span if span > 0 else np.zeros_like(seen)
    smooth: np.ndarray = np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
    return smooth.clip(0, 1)

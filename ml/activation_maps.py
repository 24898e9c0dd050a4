"""Class activation maps: which parts of a photo support a grader's answer.

After Zhou et al., CVPR 2016 (arXiv 1512.04150). Every network of the registry ends in a global average pool and a
linear layer, and the two can be swapped: then each position of the last feature map has its own logits, and their mean
over all positions, plus the bias, is exactly the logit of the photo. The map is those logits. It costs one matrix
product.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps

from ml.outputs import Output
from ml.preprocessing import Aspect

#: From lowest to highest: cividis, which looks alike to all kinds of color vision and prints well in gray (Nuñez,
#: Anderton and Renslow, PLOS ONE 13(7), 2018). Colors of matplotlib at 0, 1/4, 1/2, 3/4 and 1.
_COLOR_RAMP = np.array([(0, 34, 78), (67, 78, 108), (125, 124, 120), (188, 174, 108), (254, 232, 56)])
_OPACITY = 0.55


def class_maps(features: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The map of each output, `[n, outputs, h, w]`, from feature maps `[n, width, h, w]` and the head's weight.

    The mean of a map plus the output's bias is the output.
    """
    return torch.einsum("nchw,oc->nohw", features, weight)


def map_of_grade(maps: np.ndarray, grade: int, output: Output) -> np.ndarray:
    """The map `[h, w]` that supports this grade, from the maps `[outputs, h, w]` of a photo.

    For a softmax it is the map of the grade. For CORN it is the sum over the thresholds that the grade passes, minus
    the first that it does not pass: these are the outputs in the product that is its probability, with their signs.
    """
    if output == "softmax":
        support: np.ndarray = maps[grade]
    else:
        support = maps[:grade].sum(axis=0) - maps[grade : grade + 1].sum(axis=0)
    return support


def overlay(photo: Image.Image, grade_map: np.ndarray, aspect: Aspect) -> Image.Image:
    """The photo in gray under the colors of a map `[h, w]`, from dark blue for its minimum to yellow for its maximum.

    `aspect` is that of the model's preprocessing: after `crop` only the middle square has colors.
    """
    gray = ImageOps.grayscale(photo).convert("RGB")
    size = photo.size if aspect == "stretch" else (min(photo.size),) * 2
    smooth = _resize(grade_map, size)
    stops = np.linspace(0, 1, len(_COLOR_RAMP))
    colors = np.stack([np.interp(smooth, stops, channel) for channel in _COLOR_RAMP.T], axis=-1)
    corner = ((photo.width - size[0]) // 2, (photo.height - size[1]) // 2)
    under = gray.crop((*corner, corner[0] + size[0], corner[1] + size[1]))
    gray.paste(Image.blend(under, Image.fromarray(colors.round().astype(np.uint8)), _OPACITY), corner)
    return gray


def map_on_photo(grade_map: np.ndarray, aspect: Aspect, size: tuple[int, int], side: int) -> np.ndarray:
    """A map `[h, w]` as uint8 `[side, side]` over the whole photo, from 0 at its minimum to 255 at its maximum.

    `size` is the width and height of the photo and `aspect` that of the model's preprocessing: after `crop` everything
    outside the middle square is 0.
    """
    grid = np.zeros((side, side), np.uint8)
    shares = [1.0 if aspect == "stretch" else min(size) / length for length in size]
    width, height = (max(1, round(side * share)) for share in shares)
    left, top = (side - width) // 2, (side - height) // 2
    grid[top : top + height, left : left + width] = (255 * _resize(grade_map, (width, height))).round()
    return grid


def _resize(grade_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map at this width and height, from 0 at its minimum to 1 at its maximum; all 0 if it is constant."""
    span = float(grade_map.max() - grade_map.min())
    values = (grade_map - grade_map.min()) / span if span > 0 else np.zeros_like(grade_map)
    smooth: np.ndarray = np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BICUBIC))
    return smooth.clip(0, 1)

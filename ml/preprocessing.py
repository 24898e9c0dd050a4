"""From a photo to a model's input tensor, by the specification that is stored with the weights."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageOps

from ml.errors import PhotoUnreadable
from ml.networks.registry import RGB
from ml.quality import GRID_LONG_SIDE, Quality, measure

try:
    from pillow_heif import register_heif_opener
except ImportError:  # Only HEIC files are then unreadable.
    pass
else:
    register_heif_opener()

Aspect = Literal["stretch", "crop"]
Interpolation = Literal["bicubic", "bilinear"]
Photo = bytes | Path | Image.Image

#: A JPEG that is decoded at reduced size keeps at least this many times the pixels per side that are needed.
_DECODED_PER_NEEDED = 2

_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a photo becomes the input of one model.

    `image_size` is the side of the square in pixels. `aspect` says how a rectangular photo becomes square:
    `stretch` squeezes the whole field of view, as the published recipe of the AI Hub scalp set does; `crop` keeps the
    proportions and cuts out the middle. `mean` and `std` normalize RGB in 0..1.
    """

    image_size: int
    mean: RGB
    std: RGB
    aspect: Aspect = "stretch"
    interpolation: Interpolation = "bicubic"


@dataclass(frozen=True, slots=True)
class Prepared:
    """One photo, ready for every model: a float32 tensor `[3, size, size]` for each specification, and its quality.

    `size` is the width and height of the photo in pixels, upright.
    """

    tensors: Mapping[Preprocessing, torch.Tensor]
    quality: Quality
    size: tuple[int, int]


def prepare(photo: Photo, specifications: Collection[Preprocessing]) -> Prepared:
    """Decode a photo once, measure it and prepare it for each specification. Uses no device and no shared state.

    Raises PhotoUnreadable.
    """
    image, size = _open(photo, max(spec.image_size for spec in specifications))
    return Prepared({spec: to_tensor(image, spec) for spec in specifications}, measure(image, size), size)


def open_photo(photo: Photo) -> Image.Image:
    """The first frame of a photo as RGB, rotated by its EXIF orientation.

    Takes the bytes of a file, a path or a Pillow image, in any format that Pillow can read, or HEIC if
    pillow-heif is installed. Raises PhotoUnreadable.
    """
    return _open(photo)[0]


def _open(photo: Photo, side: int | None = None) -> tuple[Image.Image, tuple[int, int]]:
    """The photo as `open_photo` returns it, and its full width and height.

    A JPEG is decoded at 1/2, 1/4 or 1/8 of its size if that leaves `_DECODED_PER_NEEDED` times the pixels that a model
    with this `side` and the quality check need: the decoder then skips the high frequencies of each block. That takes
    0.42 of the time; of the demo's 234 grades for 39 synthetic scalps of 1600 × 1200 pixels one changed.
    """
    name = str(photo) if isinstance(photo, Path) else "The photo"
    try:
        if isinstance(photo, Image.Image):
            whole = ImageOps.exif_transpose(photo).convert("RGB")
            return whole, whole.size
        with Image.open(io.BytesIO(photo) if isinstance(photo, bytes) else photo) as image:
            size = image.size
            if side is not None:
                times = (
                    min(min(size) // (_DECODED_PER_NEEDED * side), max(size) // (_DECODED_PER_NEEDED * GRID_LONG_SIDE))
                    or 1
                )
                image.draft(None, (size[0] // times, size[1] // times))
            decoded = image.size
            # A copy of a large photo takes about a fifth of the time of decoding it.
            ImageOps.exif_transpose(image, in_place=True)
            image.load()
            upright = size if image.size == decoded else size[::-1]
            return image if image.mode == "RGB" else image.convert("RGB"), upright
    except FileNotFoundError:
        raise PhotoUnreadable(f"{name}: no such file.") from None
    except Exception as error:
        # Decoders raise almost anything for a broken file: OSError, SyntaxError, ValueError, struct.error, …
        raise PhotoUnreadable(f"{name} cannot be read as a picture: {error}") from error


def to_tensor(image: Image.Image, spec: Preprocessing) -> torch.Tensor:
    """An RGB image as normalized float32 `[3, size, size]`, contiguous. Pillow's resize filters before it shrinks.

    In NumPy, because torch would start a thread pool for each thread that prepares photos.
    """
    square = (spec.image_size, spec.image_size)
    resampling = _RESAMPLING[spec.interpolation]
    crop = spec.aspect == "crop"
    resized = ImageOps.fit(image, square, resampling) if crop else image.resize(square, resampling)
    mean, std = (np.array(channels, np.float32)[:, None, None] for channels in (spec.mean, spec.std))
    values = np.empty((3, *square), np.float32)
    np.multiply(np.asarray(resized).transpose(2, 0, 1), 1 / (255 * std), out=values)
    values -= mean / std
    return torch.from_numpy(values)

"""From a photo to the tensor that a model wants, by the specification that travels with the weights."""

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
from ml.quality import LONG_SIDE, Quality, measure

try:
    from pillow_heif import register_heif_opener
except ImportError:  # Phones' HEIC files are then unreadable, everything else works.
    pass
else:
    register_heif_opener()

Aspect = Literal["stretch", "crop"]
Interpolation = Literal["bicubic", "bilinear"]
Photo = bytes | Path | Image.Image

#: A JPEG that is decoded smaller has at least so many times the pixels, on a side, that are looked at.
_SPARE = 2

_RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a photo becomes the input of one model.

    `image_size` is the side of the square in pixels. `aspect` says how an oblong photo gets square: `stretch`
    squeezes the whole field of view into it, as the published recipe of the AI Hub scalp set does; `crop`
    keeps the proportions and cuts the middle. `mean` and `std` normalise RGB in 0..1.
    """

    image_size: int
    mean: RGB
    std: RGB
    aspect: Aspect = "stretch"
    interpolation: Interpolation = "bicubic"


@dataclass(frozen=True, slots=True)
class Prepared:
    """One photo, ready for every model: a float32 tensor `[3, size, size]` for each specification, and its quality.

    `size` is the width and height in pixels that it has itself, the right way up.
    """

    tensors: Mapping[Preprocessing, torch.Tensor]
    quality: Quality
    size: tuple[int, int]


def prepare(photo: Photo, specifications: Collection[Preprocessing]) -> Prepared:
    """Decode a photo once, measure it and prepare it for each specification. Touches no device and no shared state.

    Raises PhotoUnreadable.
    """
    image, size = _opened(photo, max(spec.image_size for spec in specifications))
    return Prepared({spec: to_tensor(image, spec) for spec in specifications}, measure(image, size), size)


def open_photo(photo: Photo) -> Image.Image:
    """The first frame of a photo as RGB, the way up that its EXIF orientation says.

    Takes the bytes of a file, a path or a Pillow image; any format that Pillow reads, HEIC where
    pillow-heif is installed. Raises PhotoUnreadable.
    """
    return _opened(photo)[0]


def _opened(photo: Photo, side: int | None = None) -> tuple[Image.Image, tuple[int, int]]:
    """The photo as `open_photo` gives it, and the width and height that it has.

    A JPEG comes out smaller than it is, by 2, 4 or 8, where that leaves `_SPARE` times what a model of this `side` and
    the measure of quality look at: its decoder can leave out the high frequencies of each block. That takes 0.42 of the
    time; of the demo's 234 grades for 39 synthetic scalps of 1600 × 1200 pixels one came out otherwise.
    """
    name = str(photo) if isinstance(photo, Path) else "The photo"
    try:
        if isinstance(photo, Image.Image):
            whole = ImageOps.exif_transpose(photo).convert("RGB")
            return whole, whole.size
        with Image.open(io.BytesIO(photo) if isinstance(photo, bytes) else photo) as image:
            size = image.size
            if side is not None:
                times = min(min(size) // (_SPARE * side), max(size) // (_SPARE * LONG_SIDE)) or 1
                image.draft(None, (size[0] // times, size[1] // times))
            decoded = image.size
            # Each copy of a large photo takes about a fifth of its decoding.
            ImageOps.exif_transpose(image, in_place=True)
            image.load()
            upright = size if image.size == decoded else size[::-1]
            return image if image.mode == "RGB" else image.convert("RGB"), upright
    except FileNotFoundError:
        raise PhotoUnreadable(f"{name}: there is no such file.") from None
    except Exception as error:
        # Decoders raise nearly anything for a broken file: OSError, SyntaxError, ValueError, struct.error, …
        raise PhotoUnreadable(f"{name} cannot be read as a picture: {error}") from error


def to_tensor(image: Image.Image, spec: Preprocessing) -> torch.Tensor:
    """An RGB image as normalised float32 `[3, size, size]`, contiguous. Pillow's resize filters before it shrinks.

    NumPy and not torch: each thread that prepares photos would get a pool of torch's threads of its own.
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

"""Augmentation recipes, in torchvision's v2 transforms: from an RGB picture to a normalized tensor."""

from __future__ import annotations

import io
import math
from typing import Any

import torch
from PIL import Image
from torchvision.transforms import InterpolationMode, v2

from ml.preprocessing import Preprocessing


def augmentation(name: str, spec: Preprocessing) -> v2.Transform:
    """The recipe of this name: takes an RGB picture of Pillow, returns float32 `[3, size, size]`.

    `deck` is that of the project's original slides, `gentle` and `strong` are new. All randomness comes from torch's
    generator, so a seed determines it.
    """
    return {"deck": deck, "gentle": gentle, "strong": strong}[name](spec)


def deck(spec: Preprocessing) -> v2.Transform:
    """Of the original slides: resize, flips, quarter turns, ±10° of rotation, affine: shear 10 and scale 0.8 to 1.2."""
    return v2.Compose(
        [
            *_resizing(spec),
            *_turning(),
            v2.RandomRotation(10),
            v2.RandomAffine(degrees=0, shear=10, scale=(0.8, 1.2)),
            *_normalizing(spec),
        ]
    )


def gentle(spec: Preprocessing) -> v2.Transform:
    """For a few hundred pictures: turns and flips, a little scale and shear, and a weak color cast.

    Measured with lite0 at 192 pixels, 600 synthetic pictures and eight epochs, all else equal: QWK .826 on 172
    pictures of other persons, `deck` .807; on 240 pictures with color casts .764 and .749. With as few pictures, at 300
    pixels and six epochs, `strong` is worse than `deck`: .774 and .806.
    """
    return v2.Compose(
        [
            *_resizing(spec),
            *_turning(),
            v2.RandomApply(
                [v2.RandomAffine(degrees=10, scale=(0.9, 1.15), shear=4, interpolation=InterpolationMode.BILINEAR)],
                0.5,
            ),
            v2.ToDtype(torch.float32, scale=True),
            v2.RandomApply([ColorCast(0.5)], 0.5),
            *_normalizing(spec),
        ]
    )


def strong(spec: Preprocessing) -> v2.Transform:
    """Color casts, light, distance, sharpness, noise and compression that another scope or phone may add.

    Changes of scale stay small, because the size of scales and the number of hairs determine the grade.
    """
    return v2.Compose(
        [
            *_resizing(spec),
            *_turning(),
            v2.RandomApply(
                [v2.RandomAffine(degrees=20, scale=(0.85, 1.25), shear=6, interpolation=InterpolationMode.BILINEAR)],
                0.7,
            ),
            v2.ToDtype(torch.float32, scale=True),
            ColorCast(),
            v2.RandomApply([v2.GaussianBlur(5, (0.3, 1.4))], 0.25),
            v2.RandomApply([v2.RandomAdjustSharpness(2.0, p=1.0)], 0.2),
            v2.RandomApply([v2.GaussianNoise(0.0, 0.02)], 0.3),
            v2.ToDtype(torch.uint8, scale=True),
            v2.RandomApply([Compression(40, 95)], 0.3),
            *_normalizing(spec),
        ]
    )


class QuarterTurn(v2.Transform):
    """One to three quarter turns."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the number of turns."""
        return {"turns": int(torch.randint(1, 4, ()))}

    def transform(self, inpt: torch.Tensor, params: dict[str, Any]) -> torch.Tensor:
        """Turn `[…, h, w]`."""
        return torch.rot90(inpt, params["turns"], (-2, -1))


class ColorCast(v2.Transform):
    """The light and the white balance of another camera, on float `[3, h, w]` in 0..1.

    A gain per channel (log-normal, spread 0.10), brightness (log-normal, 0.15), a gamma of 0.75 to 1.35, saturation
    times 0.5 to 1.3, and one side brighter than the other by up to 15 %; all times `strength`.
    """

    def __init__(self, strength: float = 1.0) -> None:
        super().__init__()
        self._strength = strength

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw gains, gamma, saturation and tilt."""
        draws, strength = torch.rand(5), self._strength
        return {
            "gains": ((torch.randn(3) * 0.10 + torch.randn(()) * 0.15) * strength).exp(),
            "gamma": math.exp((math.log(0.75) + float(draws[0]) * math.log(1.35 / 0.75)) * strength),
            "saturation": 1 + (0.8 * float(draws[1]) - 0.5) * strength,
            "tilt": 0.15 * (2 * draws[2:4] - 1) * strength,
        }

    def transform(self, inpt: torch.Tensor, params: dict[str, Any]) -> torch.Tensor:
        """Apply them to float `[3, h, w]` in 0..1; the result stays in that range."""
        height, width = inpt.shape[-2:]
        across = torch.linspace(-1, 1, width)[None, :] * params["tilt"][0]
        down = torch.linspace(-1, 1, height)[:, None] * params["tilt"][1]
        picture = inpt.clamp_min(1e-4).pow(params["gamma"]) * params["gains"][:, None, None] * (1 + across + down)
        gray = picture.mean(dim=0, keepdim=True)
        return torch.lerp(gray, picture, params["saturation"]).clamp(0, 1)


class Compression(v2.Transform):
    """JPEG artifacts, with a quality from `lowest` to `highest`, 1 to 100, on uint8 `[3, h, w]`.

    With Pillow, because torchvision deprecated its own encoder in 0.29.
    """

    def __init__(self, lowest: int, highest: int) -> None:
        super().__init__()
        self._lowest, self._highest = lowest, highest

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw the quality."""
        return {"quality": int(torch.randint(self._lowest, self._highest + 1, ()))}

    def transform(self, inpt: torch.Tensor, params: dict[str, Any]) -> torch.Tensor:
        """Compress and decompress uint8 `[3, h, w]`."""
        file = io.BytesIO()
        v2.functional.to_pil_image(inpt).save(file, "JPEG", quality=params["quality"])
        with Image.open(file) as compressed:
            tensor: torch.Tensor = v2.functional.pil_to_tensor(compressed)
            return tensor


def _resizing(spec: Preprocessing) -> list[v2.Transform]:
    # The service resizes with Pillow's bicubic. On ten synthetic scalps the two differ by 0.6 % of the pixel range on
    # average; a color cast of `strong` changes 9 %.
    size = [spec.image_size, spec.image_size]
    return [v2.PILToTensor(), v2.Resize(size, InterpolationMode.BILINEAR, antialias=True)]


def _turning() -> list[v2.Transform]:
    """Flips and quarter turns: a scalp has no preferred orientation."""
    return [v2.RandomHorizontalFlip(0.5), v2.RandomVerticalFlip(0.5), v2.RandomApply([QuarterTurn()], 0.5)]


def _normalizing(spec: Preprocessing) -> list[v2.Transform]:
    return [v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(spec.mean), list(spec.std))]

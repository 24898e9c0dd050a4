"""The networks by name, through one door: `create_network`. Networks are code, weights are data.

`efficientnet-b0` … `-b7` are those of the package efficientnet-pytorch (Tan and Le, arXiv 1905.11946),
`efficientnet-v2-s`, `-m` and `-l` those of torchvision (Tan and Le, arXiv 2104.00298), `efficientnet-lite0` is
`ml.lite`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import cast

import torch
from efficientnet_pytorch import EfficientNet
from torch import nn
from torchvision.models import efficientnet as torchvision_efficientnet

from ml.lite import EfficientNetLite0

# Swish leaves denormals behind, and they run up to ten times slower. The flag belongs to a thread, and threads take it
# from the one that starts them: so it is set before the first parallel operation starts torch's pool.
torch.set_flush_denormal(True)

RGB = tuple[float, float, float]
Weights = Mapping[str, torch.Tensor]

IMAGENET_MEAN: RGB = (0.485, 0.456, 0.406)
IMAGENET_STD: RGB = (0.229, 0.224, 0.225)

#: Counts training steps inside a batch-norm. It means nothing at inference, so no weights file holds it.
STEP_COUNTER = "num_batches_tracked"


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network's name and what its published ImageNet weights expect.

    `image_size` is the side of the square input in pixels, `mean` and `std` normalise RGB in 0..1, `head` is
    the name of the last linear layer, `build(classes, image_size)` makes the network.
    """

    name: str
    image_size: int
    mean: RGB
    std: RGB
    head: str
    build: Callable[[int, int], nn.Module]


def _efficientnet(name: str) -> Architecture:
    def build(classes: int, image_size: int) -> nn.Module:
        # The package pads for one image size, fixed when the network is built: without this argument it
        # pads for the size of the published weights, and the features shift at any other.
        network = EfficientNet.from_name(name, num_classes=classes, image_size=image_size)
        # The memory-efficient swish recomputes in backward; inference is faster with the fused SiLU.
        network.set_swish(memory_efficient=False)
        return cast(nn.Module, network)

    size = EfficientNet.get_image_size(name)
    return Architecture(name, size, IMAGENET_MEAN, IMAGENET_STD, "_fc", build)


def _lite(classes: int, image_size: int) -> nn.Module:
    return cast(nn.Module, EfficientNetLite0(classes, image_size))


def _efficientnet_v2(letter: str) -> Architecture:
    constructor = getattr(torchvision_efficientnet, f"efficientnet_v2_{letter}")
    published = getattr(torchvision_efficientnet, f"EfficientNet_V2_{letter.upper()}_Weights").DEFAULT.transforms()

    def build(classes: int, image_size: int) -> nn.Module:
        return cast(nn.Module, constructor(num_classes=classes))

    return Architecture(
        name=f"efficientnet-v2-{letter}",
        image_size=published.crop_size[0],
        mean=tuple(published.mean),
        std=tuple(published.std),
        head="classifier.1",
        build=build,
    )


_ARCHITECTURES: dict[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        *(_efficientnet(f"efficientnet-b{n}") for n in range(8)),
        *(_efficientnet_v2(letter) for letter in "sml"),
        # The published weights take pixels as (value - 127) / 128, which for 0..1 is this.
        Architecture("efficientnet-lite0", 224, (127 / 255,) * 3, (128 / 255,) * 3, "_fc", _lite),
    )
}


def architectures() -> tuple[str, ...]:
    """The names that `create_network` knows."""
    return tuple(_ARCHITECTURES)


def describe(architecture: str) -> Architecture:
    """The default configuration of an architecture. Raises ValueError, naming the known ones."""
    try:
        return _ARCHITECTURES[architecture]
    except KeyError:
        raise ValueError(f"There is no architecture {architecture!r}; known are {', '.join(_ARCHITECTURES)}.") from None


def create_network(architecture: str, classes: int, image_size: int) -> nn.Module:
    """A network in evaluation mode with untrained weights, on torch's default device.

    It takes float `[n, 3, image_size, image_size]` and gives logits `[n, classes]`. Under
    `torch.device("meta")` it costs no memory. Raises ValueError for an unknown name.
    """
    return describe(architecture).build(classes, image_size).eval()


def create_filled_network(architecture: str, classes: int, image_size: int, weights: Weights) -> nn.Module:
    """As `create_network`, with these weights. The network shares their memory, nothing is copied.

    `weights` are the tensors that `tensor_shapes` names, in float32. Raises RuntimeError where a name or a
    shape does not fit.
    """
    with torch.device("meta"):
        network = create_network(architecture, classes, image_size)
    counters = {name: torch.tensor(0) for name in network.state_dict() if name.endswith(STEP_COUNTER)}
    network.load_state_dict({**weights, **counters}, strict=True, assign=True)
    return network.requires_grad_(False)


@lru_cache(maxsize=64)
def tensor_shapes(architecture: str, classes: int) -> Mapping[str, tuple[int, ...]]:
    """Name and shape of every tensor that a complete weights file of this network holds."""
    with torch.device("meta"):
        network = create_network(architecture, classes, describe(architecture).image_size)
    return MappingProxyType(
        {name: tuple(tensor.shape) for name, tensor in network.state_dict().items() if not name.endswith(STEP_COUNTER)}
    )

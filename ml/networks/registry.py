"""Networks by name; `create_network` makes them. Networks are code, weights are data.

`efficientnet-b0` … `-b7` are those of the package efficientnet-pytorch (Tan and Le, arXiv 1905.11946),
`efficientnet-v2-s`, `-m` and `-l` those of torchvision (Tan and Le, arXiv 2104.00298), `efficientnet-lite0` is
`ml.networks.lite`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import torch
from efficientnet_pytorch import EfficientNet
from torch import nn

from ml.networks.lite import EfficientNetLite0

if TYPE_CHECKING:
    from torchvision.models import efficientnet as torchvision_efficientnet

# Swish produces denormals, which are up to ten times slower. The flag is per thread and inherited, so it is set before
# the first parallel operation starts torch's thread pool.
torch.set_flush_denormal(True)

RGB = tuple[float, float, float]
Weights = Mapping[str, torch.Tensor]

IMAGENET_MEAN: RGB = (0.485, 0.456, 0.406)
IMAGENET_STD: RGB = (0.229, 0.224, 0.225)

#: The buffer of a batch-norm that counts training steps. Inference does not use it, so no weights file contains it.
STEP_COUNTER = "num_batches_tracked"


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network, and what its published ImageNet weights expect.

    `image_size` is the side of the square input in pixels, `mean` and `std` normalize RGB in 0..1, `head` is
    the name of the last linear layer, `build(classes, image_size)` makes the network and `features(network, batch)`
    returns its feature maps `[n, width, h, w]`, whose mean the head reads.
    """

    name: str
    image_size: int
    mean: RGB
    std: RGB
    head: str
    build: Callable[[int, int], nn.Module]
    features: Callable[[nn.Module, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Network:
    """The weights of one network, read on demand.

    `weights()` returns all of them in float32. `head` is the weight `[outputs, width]` and the bias of the last linear
    layer. Networks of one architecture with the same `digest` are the same below that layer.
    """

    digest: str
    head: tuple[torch.Tensor, torch.Tensor]
    weights: Callable[[], Weights]

    @classmethod
    def of(cls, architecture: str, weights: Weights) -> Network:
        """A network whose complete weights are in memory."""
        head = describe(architecture).head
        digest = hashlib.sha256()
        for name in sorted(weights):
            if not name.startswith(f"{head}."):
                digest.update(name.encode())
                digest.update(weights[name].contiguous().numpy().tobytes())
        return cls(digest.hexdigest(), (weights[f"{head}.weight"], weights[f"{head}.bias"]), lambda: weights)


def _extract_features(network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    return cast(torch.Tensor, cast(EfficientNet, network).extract_features(batch))


def _torchvision_features(network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    return cast(torch.Tensor, cast("torchvision_efficientnet.EfficientNet", network).features(batch))


def _efficientnet(name: str) -> Architecture:
    def build(classes: int, image_size: int) -> nn.Module:
        # The package computes its padding once, for this image size. Without the argument it uses the size of the
        # published weights, and at any other size the features shift.
        network = EfficientNet.from_name(name, num_classes=classes, image_size=image_size)
        # The memory-efficient swish recomputes in backward; inference is faster with the fused SiLU.
        network.set_swish(memory_efficient=False)
        return cast(nn.Module, network)

    size = EfficientNet.get_image_size(name)
    return Architecture(name, size, IMAGENET_MEAN, IMAGENET_STD, "_fc", build, _extract_features)


def _efficientnet_lite() -> Architecture:
    def build(classes: int, image_size: int) -> nn.Module:
        return cast(nn.Module, EfficientNetLite0(classes, image_size))

    # The published weights take pixels as (value - 127) / 128, which for 0..1 is this.
    mean, std = (127 / 255,) * 3, (128 / 255,) * 3
    return Architecture("efficientnet-lite0", 224, mean, std, "_fc", build, _extract_features)


def _efficientnet_v2(letter: str) -> Architecture:
    # Imported here because torchvision imports torch's compiler: two of the seven start-up seconds of a worker.
    from torchvision.models import efficientnet as torchvision_efficientnet

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
        features=_torchvision_features,
    )


_ARCHITECTURES: dict[str, Callable[[], Architecture]] = {
    **{name: partial(_efficientnet, name) for name in (f"efficientnet-b{n}" for n in range(8))},
    **{f"efficientnet-v2-{letter}": partial(_efficientnet_v2, letter) for letter in "sml"},
    "efficientnet-lite0": _efficientnet_lite,
}


def architectures() -> tuple[str, ...]:
    """The names that `create_network` knows."""
    return tuple(_ARCHITECTURES)


@cache
def describe(architecture: str) -> Architecture:
    """The default configuration of an architecture. Raises ValueError for an unknown name."""
    if architecture not in _ARCHITECTURES:
        raise ValueError(f"Unknown architecture {architecture!r}; use one of {', '.join(_ARCHITECTURES)}.")
    return _ARCHITECTURES[architecture]()


def create_network(architecture: str, classes: int, image_size: int) -> nn.Module:
    """A network in evaluation mode with untrained weights, on torch's default device.

    It takes float `[n, 3, image_size, image_size]` and returns logits `[n, classes]`. Under
    `torch.device("meta")` it costs no memory. Raises ValueError for an unknown name.
    """
    return describe(architecture).build(classes, image_size).eval()


def create_filled_network(architecture: str, classes: int, image_size: int, weights: Weights) -> nn.Module:
    """Like `create_network`, with these weights. The network shares their memory.

    `weights` are the tensors that `tensor_shapes` names, in float32. Raises RuntimeError if a name or a
    shape does not match.
    """
    with torch.device("meta"):
        network = create_network(architecture, classes, image_size)
    counters = {name: torch.tensor(0) for name in network.state_dict() if name.endswith(STEP_COUNTER)}
    network.load_state_dict({**weights, **counters}, strict=True, assign=True)
    return network.requires_grad_(False)


@lru_cache(maxsize=64)
def tensor_shapes(architecture: str, classes: int) -> Mapping[str, tuple[int, ...]]:
    """Name and shape of every tensor in a complete weights file of this network."""
    with torch.device("meta"):
        network = create_network(architecture, classes, describe(architecture).image_size)
    return MappingProxyType(
        {name: tuple(tensor.shape) for name, tensor in network.state_dict().items() if not name.endswith(STEP_COUNTER)}
    )


def trunk_shapes(architecture: str) -> Mapping[str, tuple[int, ...]]:
    """Name and shape of every tensor of a network except its last linear layer. Raises ValueError."""
    head = describe(architecture).head
    return {name: shape for name, shape in tensor_shapes(architecture, 2).items() if not name.startswith(f"{head}.")}

"""Runtimes hold networks on a device and run them there.

A runtime only runs trunks, all of a network but its last linear layer: from photos to feature maps. The rest is the
same for all runtimes and costs almost nothing: `ml.runtimes.resident` turns features into answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

from ml.networks.registry import Network, create_filled_network, describe
from ml.preprocessing import Preprocessing

#: From float32 photos `[n, 3, size, size]` on the CPU to the feature maps `[n, width, h, w]` that the head reads, in
#: any floating-point type, on the runtime's device. With one lane, the next call may overwrite them.
Forward = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Trunk:
    """All of a network but its last linear layer, for pictures that are prepared in one way."""

    architecture: str
    outputs: int
    preprocessing: Preprocessing
    padding_size: int
    network: Network

    @property
    def image_size(self) -> int:
        """The side of the pictures in pixels."""
        return self.preprocessing.image_size

    @property
    def key(self) -> str:
        """Equal for trunks that compute the same."""
        return f"{self.architecture}-{self.image_size}-{self.padding_size}-{self.network.digest}"

    def build(self) -> TrunkModule:
        """The trunk in torch, float32, on the CPU. It shares the memory of the weights."""
        network = create_filled_network(self.architecture, self.outputs, self.padding_size, self.network.weights())
        return TrunkModule(network, self.architecture)


class TrunkModule(torch.nn.Module):
    """A network that stops at its feature maps."""

    def __init__(self, network: torch.nn.Module, architecture: str) -> None:
        super().__init__()
        self.network = network
        self._features = describe(architecture).features

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Feature maps `[n, width, h, w]` of pictures `[n, 3, size, size]`."""
        return self._features(self.network, batch)


class Runtime(Protocol):
    """Holds trunks on one device, in one precision. Only its `Forward` functions may run in several threads.

    `name` is the value of the setting, `device` the name in torch, `precision` one of torch's types, such as
    `bfloat16`. `lanes` is how many forward passes may run at the same time, each in its own thread: more than one where
    several photos side by side are faster than one photo on the whole device.

    A `lossy` runtime rounds so much that it may change grades, which depends on the weights: `ml.parity` checks a
    bundle before it is served. `version` changes with everything else that its answers depend on.
    """

    name: str
    device: str
    precision: str
    lanes: int
    lossy: bool

    @property
    def version(self) -> str:
        """Changes with everything but the weights that its answers depend on."""

    def load(self, trunk: Trunk) -> Forward:
        """Make a trunk resident. This and the function raise RuntimeError or MemoryError as the libraries do."""

"""Runtimes: what holds networks on a device and runs them there.

A runtime knows of trunks alone, all of a network but its last linear layer: from photos to feature maps. What follows
is the same for all of them and costs nearly nothing: `ml.runtimes.resident` makes answers of the features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch

from ml.networks.registry import Network, create_filled_network, describe
from ml.preprocessing import Preprocessing

#: Makes of float32 photos `[n, 3, size, size]` on the CPU the feature maps `[n, width, h, w]` that the head reads, in
#: any floating-point type, on the runtime's device. With one lane, the next call may overwrite them.
Look = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Trunk:
    """All of a network but its last linear layer, laid out for pictures that are prepared in one way."""

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
        """The same for trunks that compute the same."""
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
        return self._features(self.network, batch)


class Runtime(Protocol):
    """Holds trunks on one device, in one precision. Belongs to one thread at a time, but for its looks.

    `name` is that of the setting, `device` as torch names it, `precision` one of torch's types, such as `bfloat16`.
    `lanes` is how many looks may run at once, each in a thread of its own: more than one where photos side by side are
    faster than one photo on all of the device.
    """

    name: str
    device: str
    precision: str
    lanes: int

    def place(self, trunk: Trunk) -> Look:
        """Make a trunk resident. What it returns, and this, raise RuntimeError or MemoryError as the libraries do."""

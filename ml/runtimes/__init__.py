"""Runtimes: what holds the models on a device and runs one on a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from ml.manifest import ModelSpec
from ml.registry import Weights


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of a batch of n photos, in float32.

    `probabilities` `[n, classes]` are averaged over the networks of an ensemble and the views of each photo. Where
    they were asked for, `maps` `[n, outputs, h, w]` are so too: the class activation map of each output, before the
    temperature (`ml.explanation`). `features` `[n, width]`, where they were asked for, are what the head of the first
    network reads of the photo itself.
    """

    probabilities: np.ndarray
    features: np.ndarray | None = None
    maps: np.ndarray | None = None


class Runtime(Protocol):
    """Holds models on one device. Belongs to one thread at a time."""

    device: str

    def load(self, model: ModelSpec, networks: Sequence[Weights]) -> None:
        """Make a model resident under its key, from the complete float32 weights of each of its networks.

        Raises ModelError.
        """

    def run(self, key: str, batch: torch.Tensor, *, features: bool = False, maps: bool = False) -> Answer:
        """What the model says of a float32 batch `[n, 3, size, size]` on the CPU.

        The model's temperature is applied. Raises OutOfMemory where a smaller batch may pass, DeviceLost
        where the process has to be left, ModelError otherwise.
        """

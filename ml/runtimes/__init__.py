"""Runtimes: what holds the models on a device and runs one on a batch."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

from ml.manifest import ModelSpec
from ml.registry import Weights


class Runtime(Protocol):
    """Holds models on one device. Belongs to one thread at a time."""

    device: str

    def load(self, model: ModelSpec, weights: Weights) -> None:
        """Make a model resident under its key, from complete float32 weights. Raises ModelError."""

    def run(self, key: str, batch: torch.Tensor) -> np.ndarray:
        """Probabilities, float32 `[n, classes]`, of a float32 batch `[n, 3, size, size]` on the CPU.

        The model's temperature is applied. Raises OutOfMemory where a smaller batch may pass, DeviceLost
        where the process has to be left, ModelError otherwise.
        """

"""Untrained weights from a seed, bit for bit the same on every platform.

Convolutions and linear layers are He-uniform over the fan-in (He et al., arXiv 1502.01852), batch-norms are the
identity, biases are zero. torch's own initializers promise no such stability; the raw stream of numpy's Philox does:
each weight is sixteen of its bits as an odd number of 1/65536 parts of [-1, 1), which float32 holds exactly, times one
scale, a single correctly rounded product.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch

from ml.networks.registry import Weights, trunk_shapes


def seeded_weights(architecture: str, seed: int) -> Weights:
    """Float32 weights of a network without its last linear layer. Raises ValueError for an unknown architecture."""
    shapes = trunk_shapes(architecture)
    return {name: torch.from_numpy(_tensor(shape, seed, architecture, name)) for name, shape in shapes.items()}


def _tensor(shape: tuple[int, ...], seed: int, architecture: str, name: str) -> np.ndarray:
    if len(shape) > 1:
        return he_uniform(shape, seed, f"{architecture}/{name}")
    is_one = name.endswith(("running_var", ".weight"))
    return np.full(shape, 1.0 if is_one else 0.0, dtype=np.float32)


def he_uniform(shape: tuple[int, ...], seed: int, name: str) -> np.ndarray:
    """Float32 weights `[out, in, …]`, uniform in ±sqrt(6 / fan-in), from the stream of this seed and name."""
    stream = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    count = math.prod(shape)
    words = np.random.Philox(key=np.array([seed, stream], dtype=np.uint64)).random_raw(-(-count // 4))
    bits = words.astype("<u8", copy=False).view("<u2")[:count]
    values = bits.astype(np.float32)
    values -= np.float32(32767.5)
    values *= np.float32(math.sqrt(6 / math.prod(shape[1:])) / 32768)
    return values.reshape(shape)

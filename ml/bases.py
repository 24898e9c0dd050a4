"""Bases: weights that a small delta file builds on, known by a name and made on the spot.

A base is everything of a network but its last linear layer, so that graders and gate can share one. There is
one kind now, `seeded:<architecture>:<seed>`; a new kind is a class with the same three members and a
line in `_KINDS`.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np
import torch

from ml.registry import Weights, describe, tensor_shapes


class Base(Protocol):
    """Weights with a name: `shapes` costs nothing, `weights()` makes the tensors in float32."""

    architecture: str

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]: ...

    def weights(self) -> Weights: ...


class SeededBase:
    """Untrained weights that are bit for bit the same on every platform.

    Convolutions and linear layers are He-uniform over the fan-in (He et al., arXiv 1502.01852), batch-norms
    the identity, biases zero. torch's own initialisers promise no such stability, the raw stream of numpy's
    Philox does: each weight is sixteen of its bits as an odd number of 1/65536 parts of [-1, 1), which
    float32 holds exactly, times one scale, a single correctly rounded product.
    """

    def __init__(self, architecture: str, seed: int) -> None:
        self.architecture = architecture
        self.seed = seed
        self._head = describe(architecture).head

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {
            name: shape
            for name, shape in tensor_shapes(self.architecture, 2).items()
            if not name.startswith(self._head + ".")
        }

    def weights(self) -> Weights:
        return {name: torch.from_numpy(self._tensor(name, shape)) for name, shape in self.shapes.items()}

    def _tensor(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) > 1:
            return he_uniform(shape, self.seed, f"{self.architecture}/{name}")
        one = name.endswith(("running_var", ".weight"))
        return np.full(shape, 1.0 if one else 0.0, dtype=np.float32)


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


def _seeded(rest: str) -> Base:
    match = re.fullmatch(r"([a-z0-9-]+):(\d{1,18})", rest)
    if match is None:
        raise ValueError(f"a seeded base is named seeded:<architecture>:<seed>, not seeded:{rest}.")
    return SeededBase(match[1], int(match[2]))


_KINDS: dict[str, Callable[[str], Base]] = {"seeded": _seeded}


def open_base(name: str) -> Base:
    """The base of this name. Raises ValueError with a sentence for a name that means nothing here."""
    kind, _, rest = name.partition(":")
    if kind not in _KINDS:
        raise ValueError(f"the base {name!r} is of no known kind; known are {', '.join(_KINDS)}.")
    return _KINDS[kind](rest)

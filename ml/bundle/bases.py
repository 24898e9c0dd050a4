"""Bases: named weights that a small delta file builds on, made on demand.

A base is a network without its last linear layer, so that graders and gate can share one. The kinds are

- `seeded:<architecture>:<seed>`, untrained weights;
- `file:<architecture>:<file>.safetensors`, weights in a file of the bundle, shared by several models;
- `grown:<architecture>:<file>.safetensors`, EfficientNet-lite0's weights in a file of the bundle, grown by
  `ml.networks.growth`;
- `grown:<architecture>:imagenet`, the same from lite0's ImageNet weights, as training starts from.

A new kind needs a class with the same members and a line in `_KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from safetensors.torch import load_file

from ml.networks.growth import LITE0, copies_in, grow
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import Weights, trunk_shapes
from ml.networks.seeded import seeded_weights

_IN_BUNDLE = re.compile(r"(file|grown):([a-z0-9-]+):([A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors)")
_FROM_IMAGENET = re.compile(r"grown:([a-z0-9-]+):imagenet")


class Base(Protocol):
    """Named weights: `shapes` costs nothing, `weights()` makes the tensors in float32.

    `source` is the architecture whose trunk the base is made from, None for a seeded one.
    """

    architecture: str
    source: str | None
    shapes: Mapping[str, tuple[int, ...]]

    def weights(self) -> Weights:
        """The tensors in float32. Raises OSError or SafetensorError if their file cannot be read."""


class SeededBase:
    """Untrained weights (`ml.networks.seeded`)."""

    source: str | None = None

    def __init__(self, architecture: str, seed: int) -> None:
        self.architecture = architecture
        self.seed = seed
        self.shapes = trunk_shapes(architecture)

    def weights(self) -> Weights:
        """The tensors in float32, drawn from the seed."""
        return seeded_weights(self.architecture, self.seed)


class FileBase:
    """Weights that `read` returns in any floating-point type."""

    def __init__(self, architecture: str, read: Callable[[], Weights]) -> None:
        self.architecture = architecture
        self.source: str | None = architecture
        self.shapes = trunk_shapes(architecture)
        self._read = read

    def weights(self) -> Weights:
        """The tensors in float32. Raises what `read` raises."""
        return {name: tensor.float() for name, tensor in self._read().items()}


class GrownBase:
    """EfficientNet-lite0's weights, grown into a larger network that computes the same features.

    `read` returns lite0's tensors in any floating-point type; the last linear layer is not needed.
    """

    def __init__(self, architecture: str, read: Callable[[], Weights]) -> None:
        if copies_in(architecture) is None:
            raise ValueError(f"a grown base needs an architecture that {LITE0} can grow into, not {architecture!r}.")
        self.architecture = architecture
        self.source: str | None = LITE0
        self.shapes = trunk_shapes(architecture)
        self._read = read

    def weights(self) -> Weights:
        """The tensors of the larger network in float32 (`ml.networks.growth`). Raises what `read` raises."""
        grown = grow(self._read(), self.architecture)
        return {name: grown[name] for name in self.shapes}


def file_of(name: str) -> str | None:
    """The file of the bundle that the base of this name is read from, if any."""
    match = _IN_BUNDLE.fullmatch(name)
    return match[3] if match is not None else None


def _seeded(name: str, folder: Path | None) -> Base:
    match = re.fullmatch(r"seeded:([a-z0-9-]+):(\d{1,18})", name)
    if match is None:
        raise ValueError(f"a seeded base must be named seeded:<architecture>:<seed>, not {name}.")
    return SeededBase(match[1], int(match[2]))


def _in_bundle(name: str, folder: Path | None) -> Base:
    match, imagenet = _IN_BUNDLE.fullmatch(name), _FROM_IMAGENET.fullmatch(name)
    if imagenet is not None:
        return GrownBase(imagenet[1], imagenet_weights)
    if match is None:
        raise ValueError(
            f"a base in a bundle must be named file:<architecture>:<file>.safetensors or grown:…, not {name}."
        )
    if folder is None:
        raise ValueError(f"the base {name!r} is a file of a bundle, but no folder was given.")
    kind = GrownBase if match[1] == "grown" else FileBase
    return kind(match[2], partial(load_file, folder / match[3]))


_KINDS: dict[str, Callable[[str, Path | None], Base]] = {"seeded": _seeded, "file": _in_bundle, "grown": _in_bundle}


def open_base(name: str, folder: Path | None = None) -> Base:
    """The base of this name; its file, if it has one, is in `folder`.

    Raises ValueError with a sentence for an unknown name.
    """
    kind = name.partition(":")[0]
    if kind not in _KINDS:
        raise ValueError(f"the base {name!r} is of an unknown kind; known are {', '.join(_KINDS)}.")
    return _KINDS[kind](name, folder)

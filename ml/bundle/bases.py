"""Bases: weights that a small delta file builds on, known by a name and made on the spot.

A base is everything of a network but its last linear layer, so that graders and gate can share one. There are

- `seeded:<architecture>:<seed>`, untrained weights;
- `file:<architecture>:<file>.safetensors`, weights in a file of the bundle that several models share;
- `grown:<architecture>:<file>.safetensors`, EfficientNet-lite0's weights in a file of the bundle, grown by
  `ml.networks.growth`;
- `grown:<architecture>:imagenet`, the same from the weights that lite0 learnt on ImageNet: where training starts.

A new kind is a class with the same members and a line in `_KINDS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

from safetensors.torch import load_file

from ml.networks.growth import SOURCE, copies_in, grow
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import Weights, trunk_shapes
from ml.networks.seeded import seeded_weights

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


class SeededBase:
    """Untrained weights (`ml.networks.seeded`)."""

    source: str | None = None

    def __init__(self, architecture: str, seed: int) -> None:
        self.architecture = architecture
        self.seed = seed
        self.shapes = trunk_shapes(architecture)

    def weights(self) -> Weights:
        return seeded_weights(self.architecture, self.seed)


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
        if copies_in(architecture) is None:
            raise ValueError(f"a grown base needs an architecture that {SOURCE} grows into, not {architecture!r}.")
        self.architecture = architecture
        self.source: str | None = SOURCE
        self.shapes = trunk_shapes(architecture)
        self._read = read

    def weights(self) -> Weights:
        grown = grow(self._read(), self.architecture)
        return {name: grown[name] for name in self.shapes}


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

"""Read weights of an earlier system: state dicts and pickled networks.

A state dict is recognized by the names and shapes of its tensors. Whole networks are pickles, and reading a pickle can
run any code: that only happens if the caller allows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from ml.errors import WeightsUnreadable
from ml.networks.registry import STEP_COUNTER, Weights, architectures, describe, tensor_shapes

SUFFIXES = (".safetensors", ".pt", ".pth")

#: Keys under which training scripts store the weights in a checkpoint.
_WRAPPERS = ("model", "state_dict", "model_state_dict", "net")
#: Prefixes of tensor names from DataParallel, torch.compile and enclosing modules.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.")


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A recognized network: complete float32 weights by the registry's names.

    `padding_size` is the image size that a whole network was built for, None for a state dict.
    """

    architecture: str
    classes: int
    padding_size: int | None
    weights: Weights


def read_foreign(path: Path, *, allow_pickle: bool = False) -> ForeignModel:
    """Read a `.safetensors`, `.pt` or `.pth` file and find out which network of the registry it is.

    With `allow_pickle` the file can run any code. Raises WeightsUnreadable.
    """
    content = _unwrap(_load(path, allow_pickle))
    padding_size = None
    if isinstance(content, nn.Module):
        padding_size = _padding_size(content)
        content = content.state_dict()
    weights = _weights(path, content)
    architecture, classes = recognize(path, weights)
    return ForeignModel(architecture, classes, padding_size, weights)


def _load(path: Path, allow_pickle: bool) -> Any:
    if not path.is_file():
        raise WeightsUnreadable(f"{path}: no such file.")
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise WeightsUnreadable(f"{path} cannot be read as a safetensors file: {error}.") from error
    if path.suffix not in SUFFIXES:
        raise WeightsUnreadable(f"{path}: file names of weights must end in {', '.join(SUFFIXES)}.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A refused pickle and a damaged file raise many types of error; the second attempt distinguishes them.
        if not allow_pickle:
            raise WeightsUnreadable(
                f"{path} cannot be read as plain tensors: it is damaged, or a pickled network. Reading a pickle can "
                "run any code; if you trust the source of this file, add --allow-pickle."
            ) from error
    try:
        return torch.load(path, map_location="cpu", weights_only=False)  # Allowed by the operator.
    except Exception as error:
        raise WeightsUnreadable(f"{path} cannot be unpickled here: {error}") from error


def _unwrap(content: Any) -> Any:
    """The network or state dict inside checkpoints, and inside DataParallel."""
    while True:
        if isinstance(content, nn.DataParallel | nn.parallel.DistributedDataParallel):
            content = content.module
        elif isinstance(content, Mapping):
            inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping | nn.Module)), None)
            if inner is None:
                return content
            content = inner
        else:
            return content


def _padding_size(network: nn.Module) -> int | None:
    """The image size that the static padding of a network of efficientnet-pytorch was computed for."""
    size = getattr(getattr(network, "_global_params", None), "image_size", None)
    return max(size) if isinstance(size, list | tuple) else size


def _weights(path: Path, content: Any) -> Weights:
    if not isinstance(content, Mapping) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise WeightsUnreadable(f"{path} contains {type(content).__name__}, neither a state dict nor a network.")
    names = {str(name): value for name, value in content.items()}
    while prefix := next((p for p in _PREFIXES if names and all(name.startswith(p) for name in names)), None):
        names = {name.removeprefix(prefix): value for name, value in names.items()}
    return {
        name: value.detach().float().contiguous() for name, value in names.items() if not name.endswith(STEP_COUNTER)
    }


def recognize(path: Path, weights: Weights) -> tuple[str, int]:
    """Architecture and number of classes, by names and shapes alone. Raises WeightsUnreadable, naming `path`."""
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    for architecture in architectures():
        weight = shapes.get(f"{describe(architecture).head}.weight")
        if weight and shapes == dict(tensor_shapes(architecture, weight[0])):
            return architecture, weight[0]
    raise WeightsUnreadable(
        f"{path}: its {len(shapes)} tensors match none of {', '.join(architectures())}. Supported are the networks of "
        "efficientnet-pytorch (b0 to b7) and of torchvision (v2)."
    )

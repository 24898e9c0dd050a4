"""The plain runtime: torch as it is, on the CPU or on one CUDA device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import nn

from ml.errors import DeviceLost, DeviceUnavailable, ModelError, OutOfMemory
from ml.explanation import class_maps, look
from ml.manifest import VIEWS, ModelSpec
from ml.outputs import to_probabilities
from ml.registry import Weights, create_filled_network, describe
from ml.runtimes import Answer

Result = TypeVar("Result")

#: What allocators other than torch's CUDA one say when there is no room. They raise plain RuntimeErrors.
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "STATUS_ALLOC_FAILED")
_DEVICE_LOST = ("CUDA error", "CUDNN_STATUS", "cuDNN error", "CUBLAS_STATUS", "device-side assert")


class EagerRuntime:
    """Eager torch in inference mode, channels last; float32 on the CPU, autocast to float16 on CUDA."""

    def __init__(self, device: str = "auto") -> None:
        """`device` is `auto` (CUDA if there is any), `cpu`, `cuda` or `cuda:N`. Raises DeviceUnavailable."""
        self.device = choose_device(device)
        self._models: dict[str, tuple[ModelSpec, tuple[nn.Module, ...]]] = {}

    def load(self, model: ModelSpec, networks: Sequence[Weights]) -> None:
        placed = guarded(self.device, lambda: tuple(self._place(model, weights) for weights in networks))
        self._models[model.key] = (model, placed)

    def run(self, key: str, batch: torch.Tensor, *, features: bool = False, maps: bool = False) -> Answer:
        return guarded(self.device, partial(self._infer, *self._models[key], batch, features, maps))

    def _place(self, model: ModelSpec, weights: Weights) -> nn.Module:
        padding_size = model.padding_size or model.image_size
        network = create_filled_network(model.architecture, model.outputs, padding_size, weights)
        # Pointwise and depthwise weights lie the same way in both memory formats, and `contiguous` leaves those
        # where they are: so models on one base go on sharing it. `Module.to(memory_format=…)` copies them all.
        for parameter in network.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return network.to(self.device)

    def _infer(
        self, model: ModelSpec, networks: Sequence[nn.Module], batch: torch.Tensor, features: bool, maps: bool
    ) -> Answer:
        # Set on import already, but this may be a thread from before that, and its pool starts with it.
        torch.set_flush_denormal(True)
        with torch.inference_mode():
            batch = batch.to(device=self.device, memory_format=torch.channels_last)
            views = [self._view(model, network, batch, flip) for network in networks for flip in VIEWS[model.flips]]
            return Answer(
                _mean([view.probabilities for view in views]),
                features=views[0].features.cpu().numpy() if features else None,
                maps=_mean([view.maps for view in views]) if maps else None,
            )

    def _view(self, model: ModelSpec, network: nn.Module, batch: torch.Tensor, flip: tuple[int, ...]) -> _View:
        with torch.autocast("cuda", dtype=torch.float16, enabled=self.device.startswith("cuda")):
            outputs, seen = look(network, batch.flip(flip))
        weight = network.get_parameter(f"{describe(model.architecture).head}.weight")
        return _View(
            probabilities=to_probabilities(outputs.float(), model.output, model.temperature),
            features=seen.float().mean(dim=(2, 3)),
            maps=class_maps(seen.float(), weight).flip(flip),
        )


class _View(NamedTuple):
    """What one network says of one view of a batch; its maps lie as the photos do."""

    probabilities: torch.Tensor
    features: torch.Tensor
    maps: torch.Tensor


def _mean(tensors: Sequence[torch.Tensor]) -> np.ndarray:
    mean: np.ndarray = torch.stack(list(tensors)).mean(dim=0).cpu().numpy()
    return mean


def choose_device(device: str) -> str:
    """The device to use for this wish. Raises DeviceUnavailable with a sentence."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        wished = torch.device(device)
    except RuntimeError:
        wished = torch.device("meta")
    if wished.type not in ("cpu", "cuda"):
        raise DeviceUnavailable(f"The device {device!r} is not known here; take auto, cpu, cuda or cuda:N.")
    if wished.type == "cuda" and (wished.index or 0) >= torch.cuda.device_count():
        raise DeviceUnavailable(
            f"The device {device!r} was asked for, but torch sees {torch.cuda.device_count()} CUDA devices."
        )
    return device


def guarded(device: str, call: Callable[[], Result]) -> Result:
    """What `call` returns. Torch's errors come out as OutOfMemory, DeviceLost or another ModelError."""
    try:
        return call()
    except RuntimeError as error:
        failure = translate(device, error)
    # Here the caught error is gone, and with its frames the tensors of the failed batch: only now can their
    # memory be given back, and only an error raised here holds on to none of them.
    if isinstance(failure, OutOfMemory) and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    raise failure


def translate(device: str, error: RuntimeError) -> ModelError:
    """Our error for one of torch's, by its type where torch has one, else by what it says."""
    text = str(error).strip()
    sentence = f"The model failed on {device}: {text.splitlines()[0] if text else type(error).__name__}"
    if isinstance(error, torch.OutOfMemoryError) or any(sign in text for sign in _OUT_OF_MEMORY):
        return OutOfMemory(sentence)
    if isinstance(error, torch.AcceleratorError) or any(sign in text for sign in _DEVICE_LOST):
        return DeviceLost(sentence)
    return ModelError(sentence)

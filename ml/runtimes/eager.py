"""The plain runtime: torch as it is, on the CPU or on one CUDA device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import torch
from torch import nn

from ml.errors import DeviceLost, DeviceUnavailable, ModelError, OutOfMemory
from ml.manifest import VIEWS, ModelSpec
from ml.outputs import to_probabilities
from ml.registry import Weights, create_filled_network
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

    def run(self, key: str, batch: torch.Tensor) -> Answer:
        return guarded(self.device, partial(self._infer, *self._models[key], batch))

    def _place(self, model: ModelSpec, weights: Weights) -> nn.Module:
        padding_size = model.padding_size or model.image_size
        network = create_filled_network(model.architecture, model.outputs, padding_size, weights)
        # Pointwise and depthwise weights lie the same way in both memory formats, and `contiguous` leaves those
        # where they are: so models on one base go on sharing it. `Module.to(memory_format=…)` copies them all.
        for parameter in network.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return network.to(self.device)

    def _infer(self, model: ModelSpec, networks: Sequence[nn.Module], batch: torch.Tensor) -> Answer:
        # Set on import already, but this may be a thread from before that, and its pool starts with it.
        torch.set_flush_denormal(True)
        with torch.inference_mode():
            batch = batch.to(device=self.device, memory_format=torch.channels_last)
            seen = [self._look(model, network, batch, flip) for network in networks for flip in VIEWS[model.flips]]
            return Answer(torch.stack(seen).mean(dim=0).cpu().numpy())

    def _look(self, model: ModelSpec, network: nn.Module, batch: torch.Tensor, flip: tuple[int, ...]) -> torch.Tensor:
        """Probabilities of one view of the batch by one network."""
        with torch.autocast("cuda", dtype=torch.float16, enabled=self.device.startswith("cuda")):
            outputs: torch.Tensor = network(batch.flip(flip)).float()
        return to_probabilities(outputs, model.output, model.temperature)


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

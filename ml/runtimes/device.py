"""The device that models run on, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from ml.errors import DeviceLost, DeviceUnavailable, ModelError, OutOfMemory

Result = TypeVar("Result")

#: What allocators other than torch's CUDA one say when memory runs out. They raise plain RuntimeErrors.
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "STATUS_ALLOC_FAILED", "bad_alloc")
_DEVICE_LOST = ("CUDA error", "CUDNN_STATUS", "cuDNN error", "CUBLAS_STATUS", "device-side assert")


def choose_device(device: str) -> str:
    """The device to use; `auto` is CUDA if available, else the CPU. Raises DeviceUnavailable."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        requested = torch.device(device)
    except RuntimeError:
        requested = torch.device("meta")
    if requested.type not in ("cpu", "cuda"):
        raise DeviceUnavailable(f"Unknown device {device!r}; use auto, cpu, cuda or cuda:N.")
    if requested.type == "cuda" and (requested.index or 0) >= torch.cuda.device_count():
        raise DeviceUnavailable(f"There is no device {device!r}: torch sees {torch.cuda.device_count()} CUDA devices.")
    return device


def call_guarded(device: str, call: Callable[[], Result]) -> Result:
    """Return `call()`. Errors of torch and OpenVINO become OutOfMemory, DeviceLost or another ModelError."""
    try:
        return call()
    except (RuntimeError, MemoryError) as error:
        failure = translate(device, error)
    # Only here is the caught error gone, and with its frames the tensors of the failed batch: so their memory can be
    # released, and the new error keeps none of them alive.
    if isinstance(failure, OutOfMemory) and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    raise failure


def translate(device: str, error: RuntimeError | MemoryError) -> ModelError:
    """The ModelError for an error of a library, by its type or else by its text."""
    text = str(error).strip()
    sentence = f"The model failed on {device}: {text.splitlines()[0] if text else type(error).__name__}"
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(sign in text for sign in _OUT_OF_MEMORY):
        return OutOfMemory(sentence)
    if isinstance(error, torch.AcceleratorError) or any(sign in text for sign in _DEVICE_LOST):
        return DeviceLost(sentence)
    return ModelError(sentence)

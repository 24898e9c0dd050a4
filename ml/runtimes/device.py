"""The device that models run on, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from ml.errors import DeviceLost, DeviceUnavailable, ModelError, OutOfMemory

Result = TypeVar("Result")

#: What allocators other than torch's CUDA one say when there is no room. They raise plain RuntimeErrors.
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "STATUS_ALLOC_FAILED", "bad_alloc")
_DEVICE_LOST = ("CUDA error", "CUDNN_STATUS", "cuDNN error", "CUBLAS_STATUS", "device-side assert")


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
    """What `call` returns. Errors of torch and OpenVINO come out as OutOfMemory, DeviceLost or another ModelError."""
    try:
        return call()
    except (RuntimeError, MemoryError) as error:
        failure = translate(device, error)
    # Here the caught error is gone, and with its frames the tensors of the failed batch: only now can their
    # memory be given back, and only an error raised here holds on to none of them.
    if isinstance(failure, OutOfMemory) and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    raise failure


def translate(device: str, error: RuntimeError | MemoryError) -> ModelError:
    """Our error for one of theirs, by its type where it has one, else by what it says."""
    text = str(error).strip()
    sentence = f"The model failed on {device}: {text.splitlines()[0] if text else type(error).__name__}"
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(sign in text for sign in _OUT_OF_MEMORY):
        return OutOfMemory(sentence)
    if isinstance(error, torch.AcceleratorError) or any(sign in text for sign in _DEVICE_LOST):
        return DeviceLost(sentence)
    return ModelError(sentence)

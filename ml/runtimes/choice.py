"""Which runtime: the best one for the device that is installed, or the one that was asked for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal, get_args

from ml.errors import DeviceUnavailable
from ml.runtimes import Runtime
from ml.runtimes.cache import Cache, default_cache
from ml.runtimes.device import choose_device
from ml.runtimes.eager import EagerRuntime

Name = Literal["auto", "eager", "openvino", "graphs"]


def runtimes_here(device: str = "auto") -> tuple[str, ...]:
    """The names of the runtimes that run on this device, the one that `auto` takes last."""
    if choose_device(device).startswith("cuda"):
        return ("eager", "graphs")
    return ("eager",) if find_spec("openvino") is None else ("eager", "openvino")


def open_runtime(name: str = "auto", device: str = "auto") -> Runtime:
    """The runtime of this name: `auto` is `graphs` on CUDA, and on a CPU `openvino` where that is installed.

    `device` is `auto` (CUDA if there is any), `cpu`, `cuda` or `cuda:N`. Raises DeviceUnavailable with a sentence.
    """
    chosen = choose_device(device)
    on_cuda = chosen.startswith("cuda")
    if name not in get_args(Name):
        raise DeviceUnavailable(f"The runtime {name!r} is not known here; take {', '.join(get_args(Name))}.")
    if name == "auto":
        name = runtimes_here(chosen)[-1]
    if name == "eager":
        return EagerRuntime(chosen)
    if (name == "graphs") != on_cuda:
        raise DeviceUnavailable(f"The runtime {name} does not run on {chosen}; take auto, or eager.")
    if name == "graphs":
        from ml.runtimes.graphs import GraphsRuntime

        return GraphsRuntime(chosen)
    if find_spec("openvino") is None:
        raise DeviceUnavailable("The runtime openvino was asked for, and it is not installed: pip install openvino.")
    from ml.runtimes.openvino import OpenVinoRuntime

    return OpenVinoRuntime(Cache(default_cache()))

"""Choose a runtime: the best one installed for the device, or the requested one."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal, get_args

from ml.errors import DeviceUnavailable
from ml.runtimes import Runtime
from ml.runtimes.cache import Cache, default_cache
from ml.runtimes.device import choose_device
from ml.runtimes.eager import EagerRuntime

Name = Literal["auto", "eager", "openvino", "openvino-int8", "graphs"]

#: The name of the 8-bit runtime, which `auto` never chooses.
INT8 = "openvino-int8"


def available_runtimes(device: str = "auto") -> tuple[str, ...]:
    """The names of the runtimes that run on this device; the last one is the choice of `auto`."""
    if choose_device(device).startswith("cuda"):
        return ("eager", "graphs")
    return ("eager",) if find_spec("openvino") is None else ("eager", "openvino")


def int8_available(device: str = "auto") -> bool:
    """Whether the 8-bit runtime runs on this device."""
    return not choose_device(device).startswith("cuda") and None not in (find_spec("openvino"), find_spec("nncf"))


def open_runtime(name: str = "auto", device: str = "auto") -> Runtime:
    """The runtime of this name: `auto` is `graphs` on CUDA, `openvino` on a CPU if it is installed, else `eager`.

    `device` is `auto` (CUDA if available), `cpu`, `cuda` or `cuda:N`. Raises DeviceUnavailable.
    """
    chosen = choose_device(device)
    on_cuda = chosen.startswith("cuda")
    if name not in get_args(Name):
        raise DeviceUnavailable(f"Unknown runtime {name!r}; use one of {', '.join(get_args(Name))}.")
    if name == "auto":
        name = available_runtimes(chosen)[-1]
    if name == "eager":
        return EagerRuntime(chosen)
    if (name == "graphs") != on_cuda:
        raise DeviceUnavailable(f"The runtime {name} does not run on {chosen}; use auto or eager.")
    if name == "graphs":
        from ml.runtimes.graphs import GraphsRuntime

        return GraphsRuntime(chosen)
    if find_spec("openvino") is None:
        raise DeviceUnavailable(f"The runtime {name} needs OpenVINO, which is not installed: pip install openvino")
    if name == INT8:
        if find_spec("nncf") is None:
            raise DeviceUnavailable(
                f"The runtime {name} needs NNCF, which is not installed: pip install -r requirements/quantised.txt"
            )
        from ml.runtimes.openvino_int8 import OpenVinoInt8Runtime

        return OpenVinoInt8Runtime(Cache(default_cache()))
    from ml.runtimes.openvino import OpenVinoRuntime

    return OpenVinoRuntime(Cache(default_cache()))

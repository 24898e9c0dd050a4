"""Which runtime: the best one for the device that is installed, or the one that was asked for."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, get_args

from ml.errors import DeviceUnavailable
from ml.runtimes import Runtime
from ml.runtimes.cache import Cache, default_cache
from ml.runtimes.device import choose_device
from ml.runtimes.eager import EagerRuntime

if TYPE_CHECKING:
    from ml.bundle import Bundle
    from ml.runtimes.resident import ResidentModels

Name = Literal["auto", "eager", "openvino", "openvino-int8", "graphs"]

#: The name of the runtime in 8 bits: `auto` never takes it.
QUANTISED = "openvino-int8"


def runtimes_here(device: str = "auto") -> tuple[str, ...]:
    """The names of the runtimes that run on this device, the one that `auto` takes last."""
    if choose_device(device).startswith("cuda"):
        return ("eager", "graphs")
    return ("eager",) if find_spec("openvino") is None else ("eager", "openvino")


def quantised_here(device: str = "auto") -> bool:
    """Whether the runtime in 8 bits runs on this device."""
    return not choose_device(device).startswith("cuda") and None not in (find_spec("openvino"), find_spec("nncf"))


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
        raise DeviceUnavailable(
            f"The runtime {name} was asked for, and OpenVINO is not installed: pip install openvino."
        )
    if name == QUANTISED:
        if find_spec("nncf") is None:
            raise DeviceUnavailable(
                f"The runtime {name} was asked for, and NNCF, which quantises networks, is not installed: "
                "pip install -r requirements/quantised.txt"
            )
        from ml.runtimes.quantised import QuantisedRuntime

        return QuantisedRuntime(Cache(default_cache()))
    from ml.runtimes.openvino import OpenVinoRuntime

    return OpenVinoRuntime(Cache(default_cache()))


def require_parity(bundle: Bundle, models: ResidentModels) -> None:
    """Raise ModelError where the runtime would change too much of what the bundle's resident models say.

    A runtime in 8 bits is asked whether it does. Those in floating point are known to change no grade.
    """
    if models.runtime.name == QUANTISED:
        from ml.runtimes.quantised import QuantisedRuntime

        assert isinstance(models.runtime, QuantisedRuntime)
        models.runtime.require_parity(bundle, models)

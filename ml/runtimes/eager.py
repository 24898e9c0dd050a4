"""The plain runtime: torch as it is, on the CPU or on one CUDA device."""

from __future__ import annotations

import torch
from torch import nn

from ml.runtimes import Look, Trunk


class EagerRuntime:
    """Eager torch in inference mode, channels last; float32 on the CPU, autocast to float16 on CUDA."""

    name = "eager"
    lanes = 1

    def __init__(self, device: str) -> None:
        """`device` is `cpu`, `cuda` or `cuda:N`."""
        self.device = device
        self.precision = "float16" if device.startswith("cuda") else "float32"

    def place(self, trunk: Trunk) -> Look:
        module = trunk.build()
        lay_out_channels_last(module)
        module.to(self.device)

        def look(batch: torch.Tensor) -> torch.Tensor:
            # Set on import already, but this may be a thread from before that, and its pool starts with it.
            torch.set_flush_denormal(True)
            with torch.inference_mode(), torch.autocast("cuda", torch.float16, enabled=self.precision == "float16"):
                seen: torch.Tensor = module(batch.to(device=self.device, memory_format=torch.channels_last))
                return seen

        return look


def lay_out_channels_last(module: nn.Module) -> None:
    """Lay convolutions out channels last, leaving the others' memory where it is.

    Pointwise and depthwise weights lie the same way in both memory formats, and `contiguous` leaves those alone: so
    networks on one base go on sharing it. `Module.to(memory_format=…)` copies them all.
    """
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

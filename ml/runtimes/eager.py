"""The plain runtime: torch as it is, on the CPU or on one CUDA device."""

from __future__ import annotations

import torch
from torch import nn

from ml.runtimes import Forward, Trunk


class EagerRuntime:
    """Eager torch in inference mode, channels last; float32 on the CPU, autocast to float16 on CUDA."""

    name = "eager"
    lanes = 1
    lossy = False
    version = f"torch {torch.__version__}"

    def __init__(self, device: str) -> None:
        """`device` is `cpu`, `cuda` or `cuda:N`."""
        self.device = device
        self.precision = "float16" if device.startswith("cuda") else "float32"

    def load(self, trunk: Trunk) -> Forward:
        """Move the trunk to the device. Raises RuntimeError if it does not fit there."""
        module = trunk.build()
        lay_out_channels_last(module)
        module.to(self.device)

        def forward(batch: torch.Tensor) -> torch.Tensor:
            # It is set on import, but this thread and its pool may be older than that.
            torch.set_flush_denormal(True)
            with torch.inference_mode(), torch.autocast("cuda", torch.float16, enabled=self.precision == "float16"):
                features: torch.Tensor = module(batch.to(device=self.device, memory_format=torch.channels_last))
                return features

        return forward


def lay_out_channels_last(module: nn.Module) -> None:
    """Convert convolutions to channels last, without copying weights that look the same in both formats.

    Those are the pointwise and depthwise ones, which `contiguous` does not touch: so networks on one base keep sharing
    its memory. `Module.to(memory_format=…)` copies all weights.
    """
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

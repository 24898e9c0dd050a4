"""Floating-point operations of a network, counted by torch from the shapes alone."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch.utils.flop_counter import FlopCounterMode

from ml.networks.registry import create_network


@lru_cache(maxsize=64)
def gflop(architecture: str, image_size: int) -> float:
    """GFLOP of a forward pass over one photo: multiplications and additions in convolutions and linear layers."""
    with torch.device("meta"):
        network = create_network(architecture, 4, image_size)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 3, image_size, image_size))
    return float(counter.get_total_flops()) / 1e9

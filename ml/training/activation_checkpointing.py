"""Activation checkpointing: blocks that keep their input alone and compute the rest again in backward.

Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174: about a third more computation for a
small part of the memory.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import MethodType, TracebackType
from typing import Any

import torch
from efficientnet_pytorch.model import MBConvBlock
from torch import nn
from torch.utils.checkpoint import checkpoint
from torchvision.models.efficientnet import FusedMBConv, MBConv

#: The blocks of the registry's networks, and they hold nearly all activations.
_BLOCKS = (MBConvBlock, MBConv, FusedMBConv)


def checkpoint_blocks(network: nn.Module, enabled: bool = True) -> None:
    """Make a network of the registry checkpoint each of its blocks, or no longer.

    Outputs, gradients, batch-norm statistics and the names in the state dict stay what they are; a network in
    evaluation mode or without gradients runs as before. Raises ValueError where it has no block to checkpoint.
    """
    blocks = [module for module in network.modules() if isinstance(module, _BLOCKS)]
    if enabled and not blocks:
        raise ValueError(f"{type(network).__name__} has no blocks that can be checkpointed.")
    for block in blocks:
        # An attribute of the instance hides the method of its class. As a bound method it follows a deep copy.
        vars(block).pop("forward", None)
        if enabled:
            vars(block)["forward"] = MethodType(_checkpointed, block)


def _checkpointed(block: nn.Module, *args: Any, **kwargs: Any) -> torch.Tensor:
    forward: Callable[..., torch.Tensor] = MethodType(type(block).forward, block)
    if not (block.training and torch.is_grad_enabled()):
        return forward(*args, **kwargs)
    return checkpoint(forward, *args, use_reentrant=False, context_fn=partial(_contexts, block), **kwargs)


def _contexts(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _BuffersKept(block)


class _BuffersKept(AbstractContextManager[None]):
    """Under it a block writes to copies of its buffers: its batch-norms have counted this batch already."""

    def __init__(self, block: nn.Module) -> None:
        self._buffers = [
            (module, name, buffer) for module in block.modules() for name, buffer in module.named_buffers(recurse=False)
        ]

    def __enter__(self) -> None:
        for module, name, buffer in self._buffers:
            setattr(module, name, buffer.clone())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for module, name, buffer in self._buffers:
            setattr(module, name, buffer)

"""Batch-norms folded into the convolutions before them: the same function in fewer kernels."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

#: Attribute names of the pairs inside and around the blocks of efficientnet-pytorch.
_PAIRS = (
    ("_conv_stem", "_bn0"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
    ("_conv_head", "_bn1"),
)


def fold_batch_norms(network: nn.Module) -> None:
    """Fold all batch-norms of a network of the registry in place. It must be in evaluation mode."""
    for module in network.modules():
        for convolution, norm in _PAIRS:
            if isinstance(getattr(module, norm, None), nn.BatchNorm2d) and hasattr(module, convolution):
                _fold(getattr(module, convolution), getattr(module, norm))
                setattr(module, norm, nn.Identity())
        if isinstance(module, nn.Sequential):
            for index, (first, second) in enumerate(pairwise(list(module))):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    _fold(first, second)
                    module[index + 1] = nn.Identity()


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        convolution.weight, convolution.bias = fuse_conv_bn_weights(
            convolution.weight, convolution.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )

"""EfficientNet-lite0: EfficientNet-B0 without squeeze-and-excitation and with ReLU for swish, small enough for a CPU.

Its blocks are those of efficientnet-pytorch, so a weights file names its tensors as B0's does. The published network
clips every activation at 6; this one clips after the depthwise convolutions and after the head alone, since that is
what a larger EfficientNet can compute exactly (`ml.networks.growth`).
"""

from __future__ import annotations

import torch
from efficientnet_pytorch import EfficientNet
from efficientnet_pytorch.model import MBConvBlock
from efficientnet_pytorch.utils import drop_connect, get_model_params
from torch.nn import functional


class LiteBlock(MBConvBlock):
    """An inverted residual block: ReLU after the expansion, ReLU6 after the depthwise convolution."""

    def forward(self, inputs: torch.Tensor, drop_connect_rate: float | None = None) -> torch.Tensor:
        """Feature maps `[n, out, h, w]` from `[n, in, H, W]`; `h` and `w` are halved if the stride is 2."""
        x: torch.Tensor = inputs
        if self._block_args.expand_ratio != 1:
            x = functional.relu(self._bn0(self._expand_conv(x)))
        x = functional.relu6(self._bn1(self._depthwise_conv(x)))
        x = self._bn2(self._project_conv(x))
        if self._block_args.stride != 1 or x.shape != inputs.shape:
            return x
        if drop_connect_rate:
            x = drop_connect(x, p=drop_connect_rate, training=self.training)
        return x + inputs


class EfficientNetLite0(EfficientNet):
    """Takes float `[n, 3, size, size]`, returns logits `[n, classes]`; padded statically for `image_size`."""

    def __init__(self, classes: int, image_size: int) -> None:
        blocks, settings = get_model_params("efficientnet-b0", {"num_classes": classes, "image_size": image_size})
        super().__init__([block._replace(se_ratio=None) for block in blocks], settings)
        for block in self._blocks:
            # The package's constructor offers no way to pass another class of block.
            block.__class__ = LiteBlock

    def extract_features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Feature maps `[n, 1280, size / 32, size / 32]`, as the head pools them."""
        x: torch.Tensor = functional.relu(self._bn0(self._conv_stem(inputs)))
        rate = self._global_params.drop_connect_rate or 0.0
        for index, block in enumerate(self._blocks):
            x = block(x, drop_connect_rate=rate * index / len(self._blocks))
        return functional.relu6(self._bn1(self._conv_head(x)))

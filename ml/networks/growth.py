"""Growth: turn EfficientNet-lite0's weights into those of a larger EfficientNet that computes the same features.

After Net2Net (Chen, Goodfellow and Shlens, arXiv 1511.05641). B7 is exactly twice as wide as lite0, B0 and B1 are as
wide:

- Width: each channel occurs once or twice, and weights that read a pair are halved.
- Swish for ReLU: `swish(K x) / K` is ReLU in the limit, with an error of at most .28 / K. So each batch-norm before a
  swish is scaled by K and the weights after it by 1 / K.
- ReLU6: after a depthwise convolution and after the head, the second copy is 6 lower and the next layer reads the
  difference of the pair, `relu(x) - relu(x - 6)`. With a single copy there is no clipping.
- Squeeze-and-excitation, which lite0 lacks, is left open: zero weights, a bias of 12.
- Depth: an added block is residual, and its last batch-norm is zero until training changes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from efficientnet_pytorch.utils import get_model_params, round_filters, round_repeats

from ml.networks.registry import Weights
from ml.networks.seeded import seeded_weights

LITE0 = "efficientnet-lite0"

#: K. Larger values are closer to ReLU and leave less of float16's range: at 64 the pooled features of pictures differ
#: from lite0's by 1 % on average, at 16 by 9 %, at 8 by 25 %.
SHARPNESS = 64.0

#: K for networks that will be trained. Weights after a swish are smaller by K, so a step of Adam changes them K times
#: as much; training compensates for the softer swish.
TRAINABLE_SHARPNESS = 4.0

_RELU6_LIMIT = 6.0
_OPEN_GATE_BIAS = 12.0
_OPEN_GATE = 1 / (1 + math.exp(-_OPEN_GATE_BIAS))


def copies_in(architecture: str) -> int | None:
    """How often each channel of lite0 occurs in this architecture, 1 or 2; None if lite0 can't grow into it."""
    if architecture not in {f"efficientnet-b{n}" for n in range(8)}:
        return None
    ratios = {wide / narrow for narrow, wide in zip(_widths("efficientnet-b0"), _widths(architecture), strict=True)}
    return int(ratios.pop()) if len(ratios) == 1 else None


def grow(lite: Weights, architecture: str, sharpness: float = SHARPNESS) -> Weights:
    """Float32 weights of `architecture` from those of lite0, with the last linear layer if `lite` has one.

    `sharpness` is K. Raises ValueError for an architecture that lite0 can't grow into.
    """
    copies = copies_in(architecture)
    if copies is None:
        raise ValueError(f"{LITE0} can't grow into {architecture}: only b0, b1 and b7 have widths that fit.")
    growth = _Growth(lite, dict(seeded_weights(architecture, 0)), copies, sharpness)
    growth.convolution("_conv_stem")
    growth.norm("_bn0", "_bn0", activated=True)
    for target, source in enumerate(_sources(architecture)):
        growth.block(f"_blocks.{target}", None if source is None else f"_blocks.{source}")
    growth.mix("_conv_head", "_conv_head")
    growth.norm("_bn1", "_bn1", activated=True, clipped=True)
    if "_fc.weight" in lite:
        growth.grown["_fc.weight"] = growth.difference(lite["_fc.weight"])
        growth.grown["_fc.bias"] = lite["_fc.bias"].float()
    return growth.grown


class _Growth:
    """Fills `grown` from `lite`, with each channel `copies` times."""

    def __init__(self, lite: Weights, grown: dict[str, torch.Tensor], copies: int, sharpness: float) -> None:
        self.lite = lite
        self.grown = grown
        self.copies = copies
        self.sharpness = sharpness

    def block(self, target: str, source: str | None) -> None:
        """An inverted residual block; without a source, one that adds nothing."""
        self.grown[f"{target}._se_reduce.weight"].zero_()
        self.grown[f"{target}._se_expand.weight"].zero_()
        self.grown[f"{target}._se_expand.bias"].fill_(_OPEN_GATE_BIAS)
        if source is None:
            self.grown[f"{target}._bn2.weight"].zero_()
            return
        if f"{source}._expand_conv.weight" in self.lite:
            self.mix(f"{target}._expand_conv", f"{source}._expand_conv")
            self.norm(f"{target}._bn0", f"{source}._bn0", activated=True)
        depthwise = self.lite[f"{source}._depthwise_conv.weight"].float()
        self.grown[f"{target}._depthwise_conv.weight"] = self._repeated(depthwise) / self.sharpness
        self.norm(f"{target}._bn1", f"{source}._bn1", activated=True, clipped=True)
        project = self.difference(self.lite[f"{source}._project_conv.weight"]) / _OPEN_GATE
        self.grown[f"{target}._project_conv.weight"] = self._repeated(project)
        self.norm(f"{target}._bn2", f"{source}._bn2")

    def convolution(self, name: str) -> None:
        """A convolution that reads the picture."""
        self.grown[f"{name}.weight"] = self._repeated(self.lite[f"{name}.weight"].float())

    def mix(self, target: str, source: str) -> None:
        """A pointwise convolution that reads copies."""
        weight = torch.cat([self.lite[f"{source}.weight"].float() / self.copies] * self.copies, dim=1)
        self.grown[f"{target}.weight"] = self._repeated(weight)

    def difference(self, weight: torch.Tensor) -> torch.Tensor:
        """Weights `[out, in, …]` that read activated, clipped channels."""
        weight = weight.float() / self.sharpness
        return weight if self.copies == 1 else torch.cat([weight, -weight], dim=1)

    def norm(self, target: str, source: str, *, activated: bool = False, clipped: bool = False) -> None:
        """A batch-norm, scaled if a swish follows, and with a lower second copy if that clips."""
        scale = self.sharpness if activated else 1.0
        for part in ("running_mean", "running_var", "weight", "bias"):
            value = self.lite[f"{source}.{part}"].float()
            copies = [value * scale if part in ("weight", "bias") else value] * self.copies
            if part == "bias" and clipped and self.copies == 2:
                copies[1] = copies[1] - _RELU6_LIMIT * scale
            self.grown[f"{target}.{part}"] = torch.cat(copies)

    def _repeated(self, weight: torch.Tensor) -> torch.Tensor:
        return torch.cat([weight] * self.copies)


def _widths(architecture: str) -> list[int]:
    blocks, settings = get_model_params(architecture, {})
    widths = [32, *(block.output_filters for block in blocks), 1280]
    return [round_filters(width, settings) for width in widths]


def _sources(architecture: str) -> Iterator[int | None]:
    """For each block of the architecture, the block of lite0 that it comes from, or None."""
    blocks, settings = get_model_params(architecture, {})
    source = 0
    for block in blocks:
        for repeat in range(round_repeats(block.num_repeat, settings)):
            if repeat < block.num_repeat:
                yield source
                source += 1
            else:
                yield None

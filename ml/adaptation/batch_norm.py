"""Blend the networks' batch-norm statistics with those of the new photographs.

After Schneider et al., Improving robustness against common corruptions by covariate shift adaptation (arXiv
2006.16971): mean and variance of the source have the weight of N pictures, those of the photographs their number. That
removes the effect of a scope's colors and blur from the features, but also some of the differences between people. So
it can help if the scope differs more than the people do, and it is off by default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import torch
from safetensors.torch import load_file
from torch import nn

from ml.bundle import Bundle
from ml.bundle.bases import file_of, open_base
from ml.bundle.manifest import ModelSpec
from ml.errors import AdaptationInvalid
from ml.labels import GATE
from ml.networks.registry import Weights, create_filled_network, describe, tensor_shapes
from ml.preprocessing import Preprocessing

#: Returns batches `[n, 3, size, size]` of all photographs, prepared in one way; may be called repeatedly.
Batches = Callable[[Preprocessing], Iterable[torch.Tensor]]

_STATISTIC = re.compile(r"\.running_(mean|var)$")


def blended_files(bundle: Bundle, batches: Batches, source: float) -> dict[str, Weights]:
    """The weights files of the graders, by name, with blended statistics; `source` is N.

    Graders that share a trunk's file also share the statistics. A base that is grown from EfficientNet-lite0 is blended
    as lite0, since the grown network computes the same. Tensors keep their types. Raises AdaptationInvalid if the gate
    shares a file with graders, because its features must not change.
    """
    gate_base = bundle.model(GATE.key).base
    files: dict[str, Weights] = {}
    for model in bundle.manifest.models:
        if model.key == GATE.key:
            continue
        for file in model.files:
            own = load_file(bundle.folder / file)
            if any(_STATISTIC.search(name) for name in own):
                network = {**_base_weights(bundle, model), **{name: tensor.float() for name, tensor in own.items()}}
                blended = _blend(network, model.architecture, model, batches, source)
                files[file] = {**own, **_in_types_of(blended, own)}
            elif (base_file := file_of(model.base or "")) is None:
                # A seeded base has no file to change: the delta gets the statistics.
                network = {**_base_weights(bundle, model), **{name: tensor.float() for name, tensor in own.items()}}
                files[file] = {**own, **_blend(network, model.architecture, model, batches, source)}
            elif model.base == gate_base:
                raise AdaptationInvalid(
                    f"{model.key} shares {base_file} with {GATE.key}, whose statistics must not change. "
                    "Adapt this bundle without --batch-norm."
                )
            elif base_file not in files:
                trunk = load_file(bundle.folder / base_file)
                architecture = open_base(model.base or "", bundle.folder).source or model.architecture
                files[base_file] = {**trunk, **_in_types_of(_blend(trunk, architecture, model, batches, source), trunk)}
    return files


def _base_weights(bundle: Bundle, model: ModelSpec) -> Weights:
    return open_base(model.base, bundle.folder).weights() if model.base is not None else {}


def _in_types_of(statistics: Weights, file: Weights) -> Weights:
    """The statistics in the types of the file, with no variance that would round to zero."""
    return {
        name: (tensor.clamp_min(torch.finfo(file[name].dtype).tiny) if name.endswith("var") else tensor).to(
            file[name].dtype
        )
        for name, tensor in statistics.items()
        if name in file
    }


def _blend(
    weights: Weights, architecture: str, model: ModelSpec, batches: Batches, source: float
) -> dict[str, torch.Tensor]:
    """Means and variances of all batch-norms of the network, float32 by name.

    Each batch is normalized by the blend of the source with all photographs so far, so that every layer gets almost its
    final input. The last linear layer may be missing, because it is after all batch-norms.
    """
    head = describe(architecture).head
    shapes = tensor_shapes(architecture, 2)
    blank = {name: torch.zeros(shapes[name]) for name in (f"{head}.weight", f"{head}.bias")}
    complete = {name: tensor.float() for name, tensor in weights.items() if name in shapes} | blank
    network = create_filled_network(architecture, 2, model.padding_size or model.image_size, complete)
    norms = {name: norm for name, norm in network.named_modules() if isinstance(norm, nn.BatchNorm2d)}
    for norm in norms.values():
        norm.register_forward_pre_hook(_Blend(norm, source))
    with torch.inference_mode():
        for batch in batches(model.preprocessing):
            network(batch)
    return dict(_statistics(norms))


def _statistics(norms: dict[str, nn.BatchNorm2d]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, norm in norms.items():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        yield f"{name}.running_mean", norm.running_mean.clone()
        yield f"{name}.running_var", norm.running_var.clone()


class _Blend:
    """Keeps a batch-norm's statistics at the blend of its own with those of the photographs so far."""

    def __init__(self, norm: nn.BatchNorm2d, source: float) -> None:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        self._mean, self._variance = norm.running_mean, norm.running_var
        self._source = source
        self._count = 0
        self._sum: torch.Tensor | float = 0.0
        self._squares: torch.Tensor | float = 0.0

    def __call__(self, norm: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        (batch,) = inputs
        self._count += len(batch)
        self._sum = self._sum + batch.mean(dim=(2, 3)).sum(dim=0)
        self._squares = self._squares + batch.square().mean(dim=(2, 3)).sum(dim=0)
        mean, square = self._sum / self._count, self._squares / self._count
        part = self._count / (self._count + self._source)
        norm.running_mean = part * mean + (1 - part) * self._mean
        norm.running_var = part * (square - mean.square()).clamp_min(0) + (1 - part) * self._variance

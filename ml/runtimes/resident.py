"""The resident models: from a batch of photos to what a model says of them, over any runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch.nn import functional

from ml.explanation import class_maps
from ml.manifest import VIEWS, ModelSpec
from ml.outputs import to_probabilities
from ml.registry import Network
from ml.runtimes import Look, Runtime, Trunk
from ml.runtimes.device import guarded


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of a batch of n photos, in float32.

    `outputs` `[passes, n, outputs]` are the last layer's for each network of an ensemble and each view of a photo,
    before the temperature. `probabilities` `[n, classes]` are averaged over those. Where they were asked for, `maps`
    `[n, outputs, h, w]` are so too: the class activation map of each output (`ml.explanation`). `features`
    `[n, width]`, where they were asked for, are what the head of the first network reads of the photo itself.
    """

    outputs: np.ndarray
    probabilities: np.ndarray
    features: np.ndarray | None = None
    maps: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class _Placed:
    """A network on its device: where its trunk is, and its last linear layer."""

    trunk: str
    weight: torch.Tensor
    bias: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Seen:
    """Feature maps `[n, width, h, w]` of one view of a batch, float32, and their mean `[n, width]`."""

    maps: torch.Tensor
    pooled: torch.Tensor


class ResidentModels:
    """Models by key, on one device until the process ends. Belongs to one thread at a time.

    Networks with the same trunk have it once in memory, and it looks once at each batch: so six graders that share
    one cost little more than one.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._models: dict[str, tuple[ModelSpec, tuple[_Placed, ...]]] = {}
        self._trunks: dict[str, Look] = {}
        self._batch: torch.Tensor | None = None
        self._seen: dict[tuple[str, tuple[int, ...]], _Seen] = {}

    def load(self, model: ModelSpec, networks: Sequence[Network]) -> None:
        """Make a model resident under its key. Raises OutOfMemory, DeviceLost or another ModelError."""
        place = partial(self._place, model)
        self._models[model.key] = (model, guarded(self.runtime.device, lambda: tuple(map(place, networks))))

    def run(self, key: str, batch: torch.Tensor, *, features: bool = False, maps: bool = False) -> Answer:
        """What the model says of a float32 batch `[n, 3, size, size]` on the CPU.

        What a trunk saw is kept for the next model that is asked about the very same tensor: don't write into it.
        Raises OutOfMemory where a smaller batch may pass, DeviceLost where the process has to be left, ModelError
        otherwise.
        """
        if batch is not self._batch:
            self._batch, self._seen = batch, {}
        try:
            return guarded(self.runtime.device, partial(self._answer, *self._models[key], batch, features, maps))
        except Exception:
            self._batch, self._seen = None, {}
            raise

    def forget(self) -> None:
        """Let go of the last batch and of what was seen in it."""
        self._batch, self._seen = None, {}

    def _place(self, model: ModelSpec, network: Network) -> _Placed:
        padding_size = model.padding_size or model.image_size
        trunk = Trunk(model.architecture, model.outputs, model.image_size, padding_size, network)
        if trunk.key not in self._trunks:
            self._trunks[trunk.key] = self.runtime.place(trunk)
        weight, bias = network.head
        return _Placed(trunk.key, weight.to(self.runtime.device), bias.to(self.runtime.device))

    @torch.inference_mode()
    def _answer(
        self, model: ModelSpec, networks: Sequence[_Placed], batch: torch.Tensor, features: bool, maps: bool
    ) -> Answer:
        # Feature maps of a trunk that is not asked again would only fill the device.
        trunks = {network.trunk for network in networks}
        self._seen = {key: seen for key, seen in self._seen.items() if key[0] in trunks}
        views = [
            (network, flip, self._look(network.trunk, batch, flip))
            for network in networks
            for flip in VIEWS[model.flips]
        ]
        outputs = torch.stack([functional.linear(seen.pooled, net.weight, net.bias) for net, _, seen in views])
        probabilities = to_probabilities(outputs, model.output, model.temperature).mean(dim=0)
        mean = None
        if maps:
            # A map of a mirrored view lies as the photo does once it is turned back.
            turned = [class_maps(seen.maps, network.weight).flip(flip) for network, flip, seen in views]
            mean = _to_numpy(torch.stack(turned).mean(dim=0))
        return Answer(
            outputs=_to_numpy(outputs),
            probabilities=_to_numpy(probabilities),
            features=_to_numpy(views[0][2].pooled) if features else None,
            maps=mean,
        )

    def _look(self, trunk: str, batch: torch.Tensor, flip: tuple[int, ...]) -> _Seen:
        if (trunk, flip) not in self._seen:
            maps = self._trunks[trunk](batch.flip(flip) if flip else batch).to(torch.float32, copy=True)
            self._seen[trunk, flip] = _Seen(maps, maps.mean(dim=(2, 3)))
        return self._seen[trunk, flip]


def _to_numpy(tensor: torch.Tensor) -> np.ndarray:
    array: np.ndarray = tensor.cpu().numpy()
    return array

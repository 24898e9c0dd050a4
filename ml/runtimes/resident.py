"""The resident models: from a batch of photos to a model's answers, on any runtime."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from ml.activation_maps import class_maps
from ml.bundle.manifest import VIEWS, ModelSpec
from ml.networks.registry import Network
from ml.outputs import to_answers
from ml.runtimes import Forward, Runtime, Trunk
from ml.runtimes.device import call_guarded

#: A hint: the key of the model that will probably run next, and its batch.
Prefetch = tuple[str, torch.Tensor] | None


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A model's answer for a batch of n photos, in float32.

    `outputs` `[passes, n, outputs]` are those of the last layer for each network of an ensemble and each view of a
    photo, before the temperature. `probabilities` `[n, classes]` are averaged over those and calibrated by the model's
    levels. `maps` `[n, outputs, h, w]`, if requested, are averaged class activation maps of each output
    (`ml.activation_maps`). `features` `[n, width]`, if requested, are the input of the first network's head for the
    photo itself.
    """

    outputs: np.ndarray
    probabilities: np.ndarray
    features: np.ndarray | None = None
    maps: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class _LoadedNetwork:
    """A network on its device: the key of its trunk, and its last linear layer."""

    trunk: str
    weight: torch.Tensor
    bias: torch.Tensor


class _View(NamedTuple):
    """One view of a batch through one trunk. The batch is identified by its `id`."""

    trunk: str
    flip: tuple[int, ...]
    batch: int


@dataclass(frozen=True, slots=True)
class _Features:
    """Feature maps `[n, width, h, w]` of one view of a batch, float32, and their mean `[n, width]`."""

    batch: torch.Tensor
    maps: torch.Tensor
    pooled: torch.Tensor


@dataclass(frozen=True, slots=True)
class _InFlight:
    """Forward passes over the photos of one view of a batch, which lanes run or will run."""

    batch: torch.Tensor
    passes: Sequence[Future[torch.Tensor]]


class ResidentModels:
    """Models by key, on one device until the process ends. For one thread at a time.

    Networks with the same trunk share it, and it runs once per batch: so six graders on one trunk cost little more than
    one. On a runtime with several lanes the photos of a batch run side by side, and lanes that a model does not use
    start with the next model.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._models: dict[str, tuple[ModelSpec, tuple[_LoadedNetwork, ...]]] = {}
        self._trunks: dict[str, Forward] = {}
        self._lanes = ThreadPoolExecutor(runtime.lanes, "lane") if runtime.lanes > 1 else None
        self._in_flight: dict[_View, _InFlight] = {}
        self._features: dict[_View, _Features] = {}

    def load(self, model: ModelSpec, networks: Sequence[Network]) -> None:
        """Make a model resident under its key. Raises OutOfMemory, DeviceLost or another ModelError."""
        load = partial(self._load_network, model)
        self._models[model.key] = (model, call_guarded(self.runtime.device, lambda: tuple(map(load, networks))))

    def run(
        self,
        key: str,
        batch: torch.Tensor,
        *,
        prefetch: Prefetch = None,
        features: bool = False,
        maps: bool = False,
    ) -> ModelAnswer:
        """The model's answer for a float32 batch `[n, 3, size, size]` on the CPU.

        Features are kept for the model of `prefetch` if it runs next on the very same tensor: don't write into it.
        Raises OutOfMemory where a smaller batch may pass, DeviceLost where the process must exit, ModelError otherwise.
        """
        try:
            return call_guarded(self.runtime.device, partial(self._run, key, batch, prefetch, features, maps))
        except Exception:
            self.forget()
            raise

    def forget(self) -> None:
        """Release the last batch and its features."""
        self._drop_all_but(())

    def _load_network(self, model: ModelSpec, network: Network) -> _LoadedNetwork:
        padding_size = model.padding_size or model.image_size
        trunk = Trunk(model.architecture, model.outputs, model.preprocessing, padding_size, network)
        if trunk.key not in self._trunks:
            self._trunks[trunk.key] = self.runtime.load(trunk)
        weight, bias = network.head
        return _LoadedNetwork(trunk.key, weight.to(self.runtime.device), bias.to(self.runtime.device))

    @torch.inference_mode()
    def _run(self, key: str, batch: torch.Tensor, prefetch: Prefetch, features: bool, maps: bool) -> ModelAnswer:
        model, networks = self._models[key]
        views, next_views = self._views(key, batch), self._views(*prefetch) if prefetch else ()
        # Other feature maps would only fill the device.
        self._drop_all_but([*views, *next_views])
        self._submit(views, batch)
        if prefetch:
            self._submit(next_views, prefetch[1])
        found = [self._compute(view, batch) for view in views]
        heads = [network for network in networks for _ in VIEWS[model.flips]]
        outputs = torch.stack(
            [functional.linear(each.pooled, head.weight, head.bias) for head, each in zip(heads, found, strict=True)]
        )
        probabilities = to_answers(outputs, model.output, model.temperature, model.levels).float()
        mean_maps = None
        if maps:
            # The map of a mirrored view is turned back to lie as the photo does.
            turned = [
                class_maps(each.maps, head.weight).flip(view.flip)
                for view, head, each in zip(views, heads, found, strict=True)
            ]
            mean_maps = _to_numpy(torch.stack(turned).mean(dim=0))
        return ModelAnswer(
            outputs=_to_numpy(outputs),
            probabilities=_to_numpy(probabilities),
            features=_to_numpy(found[0].pooled) if features else None,
            maps=mean_maps,
        )

    def _views(self, key: str, batch: torch.Tensor) -> list[_View]:
        model, networks = self._models[key]
        return [_View(network.trunk, flip, id(batch)) for network in networks for flip in VIEWS[model.flips]]

    def _drop_all_but(self, views: Sequence[_View]) -> None:
        """Release the features of all other views, and cancel passes over them that no lane has started."""
        for view in self._in_flight.keys() - set(views):
            for forward_pass in self._in_flight.pop(view).passes:
                forward_pass.cancel()
        self._features = {view: features for view, features in self._features.items() if view in views}

    def _submit(self, views: Sequence[_View], batch: torch.Tensor) -> None:
        """Give the lanes, if there are several, the views that are neither computed nor in flight."""
        for view in views:
            if self._lanes is not None and view not in self._features and view not in self._in_flight:
                forward, photos = self._trunks[view.trunk], batch.flip(view.flip).split(1)
                self._in_flight[view] = _InFlight(batch, [self._lanes.submit(forward, photo) for photo in photos])

    def _compute(self, view: _View, batch: torch.Tensor) -> _Features:
        if view not in self._features:
            if in_flight := self._in_flight.pop(view, None):
                maps = torch.cat([forward_pass.result() for forward_pass in in_flight.passes]).float()
            else:
                photos = batch.flip(view.flip) if view.flip else batch
                maps = self._trunks[view.trunk](photos).to(torch.float32, copy=True)
            self._features[view] = _Features(batch, maps, maps.mean(dim=(2, 3)))
        return self._features[view]


def _to_numpy(tensor: torch.Tensor) -> np.ndarray:
    array: np.ndarray = tensor.cpu().numpy()
    return array

"""The resident models: from a batch of photos to what a model says of them, over any runtime."""

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
from ml.runtimes import Look, Runtime, Trunk
from ml.runtimes.device import guarded

#: The model that will probably be asked next, and about which batch.
Then = tuple[str, torch.Tensor] | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of a batch of n photos, in float32.

    `outputs` `[passes, n, outputs]` are the last layer's for each network of an ensemble and each view of a photo,
    before the temperature. `probabilities` `[n, classes]` are averaged over those and calibrated by the model's levels.
    Where they were asked for, `maps` `[n, outputs, h, w]` are averaged so too: the class activation map of each output
    (`ml.activation_maps`). `features` `[n, width]`, where they were asked for, are what the head of the first network
    reads of the photo itself.
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


class _View(NamedTuple):
    """A trunk that looks at one view of a batch, which is told by its identity."""

    trunk: str
    flip: tuple[int, ...]
    batch: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """Feature maps `[n, width, h, w]` of one view of a batch, float32, and their mean `[n, width]`."""

    batch: torch.Tensor
    maps: torch.Tensor
    pooled: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Coming:
    """Looks at the photos of one view of a batch, which lanes have begun or will begin."""

    batch: torch.Tensor
    looks: Sequence[Future[torch.Tensor]]


class ResidentModels:
    """Models by key, on one device until the process ends. Belongs to one thread at a time.

    Networks with the same trunk have it once in memory, and it looks once at each batch: so six graders that share
    one cost little more than one. On a runtime with several lanes the photos of a batch are looked at side by side, and
    those lanes that a model leaves free begin with the next one.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._models: dict[str, tuple[ModelSpec, tuple[_Placed, ...]]] = {}
        self._trunks: dict[str, Look] = {}
        self._lanes = ThreadPoolExecutor(runtime.lanes, "lane") if runtime.lanes > 1 else None
        self._coming: dict[_View, _Coming] = {}
        self._seen: dict[_View, _Seen] = {}

    def load(self, model: ModelSpec, networks: Sequence[Network]) -> None:
        """Make a model resident under its key. Raises OutOfMemory, DeviceLost or another ModelError."""
        place = partial(self._place, model)
        self._models[model.key] = (model, guarded(self.runtime.device, lambda: tuple(map(place, networks))))

    def run(
        self,
        key: str,
        batch: torch.Tensor,
        *,
        then: Then = None,
        features: bool = False,
        maps: bool = False,
    ) -> Answer:
        """What the model says of a float32 batch `[n, 3, size, size]` on the CPU.

        What a trunk saw is kept for the model of `then` if that is asked about the very same tensor: don't write into
        it. Raises OutOfMemory where a smaller batch may pass, DeviceLost where the process has to be left, ModelError
        otherwise.
        """
        try:
            return guarded(self.runtime.device, partial(self._answer, key, batch, then, features, maps))
        except Exception:
            self.forget()
            raise

    def forget(self) -> None:
        """Let go of the last batch and of what was seen in it."""
        self._keep(())

    def _place(self, model: ModelSpec, network: Network) -> _Placed:
        padding_size = model.padding_size or model.image_size
        trunk = Trunk(model.architecture, model.outputs, model.preprocessing, padding_size, network)
        if trunk.key not in self._trunks:
            self._trunks[trunk.key] = self.runtime.place(trunk)
        weight, bias = network.head
        return _Placed(trunk.key, weight.to(self.runtime.device), bias.to(self.runtime.device))

    @torch.inference_mode()
    def _answer(self, key: str, batch: torch.Tensor, then: Then, features: bool, maps: bool) -> Answer:
        model, networks = self._models[key]
        views, next_views = self._views(key, batch), self._views(*then) if then else ()
        # Feature maps of a trunk that is not asked again would only fill the device.
        self._keep([*views, *next_views])
        self._begin(views, batch)
        if then:
            self._begin(next_views, then[1])
        seen = [self._look(view, batch) for view in views]
        heads = [network for network in networks for _ in VIEWS[model.flips]]
        outputs = torch.stack(
            [functional.linear(each.pooled, head.weight, head.bias) for head, each in zip(heads, seen, strict=True)]
        )
        probabilities = to_answers(outputs, model.output, model.temperature, model.levels).float()
        mean = None
        if maps:
            # A map of a mirrored view lies as the photo does once it is turned back.
            turned = [
                class_maps(each.maps, head.weight).flip(view.flip)
                for view, head, each in zip(views, heads, seen, strict=True)
            ]
            mean = _to_numpy(torch.stack(turned).mean(dim=0))
        return Answer(
            outputs=_to_numpy(outputs),
            probabilities=_to_numpy(probabilities),
            features=_to_numpy(seen[0].pooled) if features else None,
            maps=mean,
        )

    def _views(self, key: str, batch: torch.Tensor) -> list[_View]:
        model, networks = self._models[key]
        return [_View(network.trunk, flip, id(batch)) for network in networks for flip in VIEWS[model.flips]]

    def _keep(self, views: Sequence[_View]) -> None:
        """Let go of all other views; looks at them that no lane has begun are taken back."""
        for view in self._coming.keys() - set(views):
            for look in self._coming.pop(view).looks:
                look.cancel()
        self._seen = {view: seen for view, seen in self._seen.items() if view in views}

    def _begin(self, views: Sequence[_View], batch: torch.Tensor) -> None:
        """Hand to the lanes, where there are several, what was not looked at yet."""
        for view in views:
            if self._lanes is not None and view not in self._seen and view not in self._coming:
                look, photos = self._trunks[view.trunk], batch.flip(view.flip).split(1)
                self._coming[view] = _Coming(batch, [self._lanes.submit(look, photo) for photo in photos])

    def _look(self, view: _View, batch: torch.Tensor) -> _Seen:
        if view not in self._seen:
            if coming := self._coming.pop(view, None):
                maps = torch.cat([look.result() for look in coming.looks]).float()
            else:
                photos = batch.flip(view.flip) if view.flip else batch
                maps = self._trunks[view.trunk](photos).to(torch.float32, copy=True)
            self._seen[view] = _Seen(batch, maps, maps.mean(dim=(2, 3)))
        return self._seen[view]


def _to_numpy(tensor: torch.Tensor) -> np.ndarray:
    array: np.ndarray = tensor.cpu().numpy()
    return array
